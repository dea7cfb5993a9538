"""Store of prepared corpora: its layout on disk, reading it, and the TFRecord schema."""
