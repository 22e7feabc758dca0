-- What is known of a request follows its changes, so that its closing freezes the facts it was closed with.
ALTER TABLE request
    ADD attributes_told jsonb NOT NULL DEFAULT '{}',
    ADD kind_told bigint NOT NULL DEFAULT 0 CHECK (kind_told >= 0);
COMMENT ON COLUMN request.attributes_told IS 'For each attribute that was changed, the sequence of the event that told its value.';
COMMENT ON COLUMN request.kind_told IS 'The sequence of the event that told the kind; 0: the submission.';
GRANT UPDATE (kind, attributes, attributes_told, kind_told) ON request TO {role};
