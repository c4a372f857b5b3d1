-- Contents that only their customer can open: they are sealed with the customer's key as well, which nobody keeps.

-- Null unless a customer's key is needed: 32 bytes that tell it from others. Of a content of pieces: those of its first piece
ALTER TABLE contents ADD COLUMN customer_check BYTEA;
-- Null unless the parts are sealed with a customer's key: a salt of 16 bytes, and 32 that tell that key from others
ALTER TABLE multipart_uploads ADD COLUMN customer_mark BYTEA;
