//! A small SMTP server that keeps what it is sent.
