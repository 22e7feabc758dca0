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
ALTER TABLE contact
    ADD details bytea,
    ADD CONSTRAINT contact_held_once CHECK (
        CASE WHEN is_erased OR version = 0 THEN num_nonnulls(name, email, details) = 0
        ELSE num_nonnulls(name, details) = 1 AND (details IS NULL OR email IS NULL) END);
COMMENT ON COLUMN contact.details IS 'Name and e-mail address, JSON, encrypted.';
COMMENT ON COLUMN contact.name IS 'Plain, as it was stored before 0002; so is email.';
CREATE INDEX contact_in_plain ON contact (customer_id) WHERE name IS NOT NULL;

ALTER TABLE rendering
    ALTER recipients DROP NOT NULL,
    ALTER message DROP NOT NULL,
    ADD customer_id uuid,
    ADD encrypted bytea;
-- What is encrypted cannot be compressed, so it is not tried.
ALTER TABLE rendering ALTER encrypted SET STORAGE EXTERNAL;
UPDATE rendering AS r SET customer_id = v.customer_id
FROM notice AS n JOIN request_view AS v USING (request_id)
WHERE n.notice_id = r.notice_id AND n.audience = 'customer';
ALTER TABLE rendering
    ADD CONSTRAINT rendering_whole CHECK ((recipients IS NULL) = (message IS NULL)),
    ADD CONSTRAINT rendering_held_once CHECK (num_nonnulls(message, encrypted) = 1),
    ADD CONSTRAINT rendering_to_staff_in_plain CHECK (encrypted IS NULL OR customer_id IS NOT NULL);
COMMENT ON COLUMN rendering.customer_id IS 'Whose key it is encrypted with; NULL for mails to staff, which hold nothing personal.';
COMMENT ON COLUMN rendering.encrypted IS 'Recipients and message of a mail to a customer.';
CREATE INDEX rendering_in_plain ON rendering (notice_id) WHERE customer_id IS NOT NULL AND encrypted IS NULL;

-- Mails are deleted some time after their notices ended; that they were sent stays known.
ALTER TABLE notice
    ADD is_mail_deleted boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT notice_mail_deleted_after_its_end CHECK (NOT is_mail_deleted OR ended_at IS NOT NULL);
CREATE INDEX notice_ended_with_mail ON notice (ended_at) WHERE ended_at IS NOT NULL AND NOT is_mail_deleted;

-- Who read what is held on a customer. Append-only: the service is granted neither UPDATE nor DELETE.
CREATE TABLE access_record (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL,
    who text NOT NULL,
    subject text NOT NULL,
    roles text[] NOT NULL,
    occurred_at timestamptz NOT NULL,
    real_at timestamptz NOT NULL,
    correlation_id text NOT NULL
);
COMMENT ON COLUMN access_record.who IS 'The name of the caller.';
COMMENT ON COLUMN access_record.subject IS 'What the issuer knows the caller by and never gives to another; of a key its prefix.';
COMMENT ON COLUMN access_record.roles IS 'What the caller had then.';
COMMENT ON COLUMN access_record.occurred_at IS 'Business time.';
COMMENT ON COLUMN access_record.real_at IS 'Real time.';
CREATE INDEX access_record_of_customer ON access_record (customer_id, number);
GRANT SELECT, INSERT ON access_record TO {role};
