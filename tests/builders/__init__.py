"""What tests are made of: people, drafts, cases, members and whole stories, made by the product's own acts. Samples."""
