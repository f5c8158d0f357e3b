"""A whole installation in one process, its years in seconds, every option and every fault derived from one number."""
