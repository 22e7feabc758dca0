-- Personal data are encrypted with a key per customer (shared/encryption). Destroying the key destroys them.
CREATE TABLE customer_key (
    customer_id uuid PRIMARY KEY,
    wrapped bytea NOT NULL
);
COMMENT ON TABLE customer_key IS
    'A table of its own, so that backups of the data can be made without the keys, and kept longer than those of the keys.';
COMMENT ON COLUMN customer_key.wrapped IS 'The key, encrypted with a master key, which is not in this database.';
-- The name of the master key stands in front; a key that has none is refused.
CREATE INDEX customer_key_master ON customer_key (substring(wrapped FROM 2 FOR get_byte(wrapped, 0)));
GRANT SELECT, INSERT, DELETE ON customer_key TO {role};
GRANT UPDATE (wrapped) ON customer_key TO {role};

-- What is plain was stored before this migration. The service encrypts it when it starts, and writes nothing plain any more.
ALTER TABLE customer
    ALTER external_id DROP NOT NULL,
    ALTER name DROP NOT NULL,
    ADD details bytea,
    ADD mark bytea CHECK (octet_length(mark) = 32),
    ADD erased_at timestamptz,
    ADD CONSTRAINT erased_as_a_whole CHECK (
        CASE WHEN erased_at IS NULL THEN external_id IS NOT NULL AND num_nonnulls(name, details) = 1
        ELSE num_nonnulls(external_id, name, email, phone, details, mark) = 0 END),
    ADD CONSTRAINT marked_with_details CHECK ((details IS NULL) = (mark IS NULL));
COMMENT ON COLUMN customer.external_id IS 'The channel''s id of the customer; NULL once erased, so that they can come anew.';
COMMENT ON COLUMN customer.details IS 'Name, e-mail address and telephone number, JSON, encrypted.';
COMMENT ON COLUMN customer.mark IS 'Of the details, language and market, keyed: tells whether they changed.';
COMMENT ON COLUMN customer.erased_at IS 'Business time.';
COMMENT ON COLUMN customer.name IS 'Plain, as it was stored before 0014; so are email and phone.';
CREATE INDEX customer_in_plain ON customer (customer_id) WHERE name IS NOT NULL;

ALTER TABLE request
    ADD encrypted_description bytea,
    ADD CONSTRAINT described_once CHECK (num_nonnulls(description, encrypted_description) < 2);
COMMENT ON COLUMN request.encrypted_description IS 'What people wrote, encrypted; it leaves intake in no event and no log.';
COMMENT ON COLUMN request.description IS 'Plain, as it was stored before 0014.';
CREATE INDEX request_in_plain ON request (request_id) WHERE description IS NOT NULL;

ALTER TABLE request_text
    ALTER text DROP NOT NULL,
    ADD encrypted bytea,
    ADD CONSTRAINT written_once CHECK (num_nonnulls(text, encrypted) = 1);
COMMENT ON COLUMN request_text.text IS 'Plain, as it was stored before 0014.';
CREATE INDEX request_text_in_plain ON request_text (request_id) WHERE text IS NOT NULL;
GRANT DELETE ON request_text TO {role};
GRANT UPDATE (text, encrypted) ON request_text TO {role};

-- Whose data were destroyed, by whom and why. Append-only but for what others confirm.
CREATE TABLE erasure (
    customer_id uuid PRIMARY KEY REFERENCES customer,
    asked_by text NOT NULL,
    reason text NOT NULL,
    erased_at timestamptz NOT NULL,
    real_at timestamptz NOT NULL,
    destroyed json NOT NULL,
    key_fingerprint bytea CHECK (octet_length(key_fingerprint) = 32),
    number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    confirmed json NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN erasure.erased_at IS 'Business time.';
COMMENT ON COLUMN erasure.real_at IS 'Real time.';
COMMENT ON COLUMN erasure.destroyed IS 'How much of each sort was destroyed.';
COMMENT ON COLUMN erasure.key_fingerprint IS 'SHA-256 of the wrapped key: shows in a backup whether it holds the key.';
COMMENT ON COLUMN erasure.confirmed IS 'Service -> what it says it destroyed, and when.';
GRANT SELECT, INSERT ON erasure TO {role};
GRANT UPDATE (confirmed) ON erasure TO {role};

ALTER TABLE api_key
    DROP CONSTRAINT known_scopes,
    ADD CONSTRAINT known_scopes CHECK (scopes <@ ARRAY[
        'submit', 'batch', 'move', 'feedback', 'read', 'texts', 'processes', 'quality', 'verify', 'keys', 'audit',
        'privacy'
    ]);

-- Who read what of a customer belongs to what the customer may ask for.
CREATE INDEX access_record_of_customer ON access_record (customer_id, number) WHERE customer_id IS NOT NULL;
