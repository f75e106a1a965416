//! The arguments of `job`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum JobVerb {
    /// List jobs, the ended ones of the last day too
    #[command(before_help = "\
Examples:
  connctl job list
  connctl job list -o jsonl | jq -r 'select(.state == \"running\") | .job_id'")]
    List,
    /// Show one job
    #[command(before_help = "\
Examples:
  connctl job show j-1a2b3c4d-1
  connctl job show j-1a2b3c4d-1 -o json | jq .summary")]
    Show {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Begin nothing more until it is resumed
    #[command(before_help = "\
Examples:
  connctl job pause j-1a2b3c4d-1")]
    Pause {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Let a paused job go on
    #[command(before_help = "\
Examples:
  connctl job resume j-1a2b3c4d-1")]
    Resume {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// End it early: what it has not begun stays as it is
    #[command(before_help = "\
Examples:
  connctl job cancel j-1a2b3c4d-1")]
    Cancel {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
    },
    /// Wait until it has ended, at most for --timeout
    #[command(before_help = "\
Examples:
  connctl job wait j-1a2b3c4d-1 --timeout 10m
  connctl job wait j-1a2b3c4d-1 --items -o jsonl")]
    Wait {
        /// The job
        #[arg(value_name = "JOB")]
        job_id: String,
        /// Print what becomes of each connection
        #[arg(long)]
        items: bool,
    },
}
