//! The arguments of `job`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum JobVerb {
    /// List jobs, the ended ones of the last day too
    List,
    /// Show one job
    Show {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Begin nothing more until it is resumed
    Pause {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Let a paused job go on
    Resume {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// End it early: what it has not begun stays as it is
    Cancel {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Wait until it has ended, at most for --timeout
    Wait {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
        /// Print what becomes of each connection
        #[arg(long)]
        items: bool,
    },
}
