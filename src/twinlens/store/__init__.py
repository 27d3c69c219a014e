"""What twinlens keeps."""
