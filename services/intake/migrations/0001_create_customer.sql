-- The only table of intake with names and addresses. A customer is known per channel: ids of two channels never meet here.
CREATE TABLE customer (
    customer_id uuid PRIMARY KEY,
    channel text NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    language text NOT NULL CHECK (language IN ('zh-Hant', 'zh-Hans', 'en')),
    market text NOT NULL CHECK (market IN ('HK', 'CN', 'TW')),
    version integer NOT NULL CHECK (version > 0),
    given_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (channel, external_id)
) WITH (fillfactor = 80);
COMMENT ON COLUMN customer.version IS 'The sequence of the last event on the contacts topic.';
COMMENT ON COLUMN customer.given_by IS 'The request whose submission brought these details; tells a change from a repeat.';

GRANT SELECT, INSERT, UPDATE ON customer TO {role};
