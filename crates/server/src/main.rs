//! The `acta` binary.

/// Events are made of many small strings that one thread allocates and another frees, which the C library's allocator is slow
/// at and fragments over.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    server::cli::run()
}
