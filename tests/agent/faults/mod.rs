//! What breaks around an agent: the process, the disk, its socket's path, its clients and upstreams. What is left
//! works on, and what cannot be done is said.
mod clock;
mod control_socket;
mod disk;
mod full_disk;
mod half_open;
mod killed;
mod peers;
