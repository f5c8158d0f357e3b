"""The rules of the product, pure: values in, values out; nothing here asks the time, a file or a database."""
