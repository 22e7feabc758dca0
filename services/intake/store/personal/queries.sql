-- name: find_customer_keys
-- The ids and keys of some customers who are known, with the versions of their contact details.
SELECT channel, external_id, customer_id, wrapped, version
FROM customer JOIN customer_key USING (customer_id)
    JOIN unnest(:channels::text[], :external_ids::text[]) AS asked (channel, external_id) USING (channel, external_id);

-- name: find_customer_key
-- The key of a customer.
SELECT wrapped FROM customer_key WHERE customer_id = :customer_id;

-- name: find_key_of_request
-- The key of a request's customer.
SELECT customer_id, wrapped FROM request JOIN customer_key USING (customer_id) WHERE request_id = :request_id;

-- name: insert_texts
-- Keeps what people wrote with an entry.
INSERT INTO request_text (request_id, sequence, name, encrypted)
SELECT :request_id, :sequence::integer, name, encrypted
FROM unnest(:names::text[], :encrypted::bytea[]) AS news (name, encrypted);

-- name: select_texts
-- What people wrote about a request, in order; its description lies in its own row.
SELECT 1 AS sequence, 'description' AS name, encrypted_description AS encrypted
FROM request WHERE request_id = :request_id AND encrypted_description IS NOT NULL
UNION ALL
SELECT sequence, name, encrypted FROM request_text WHERE request_id = :request_id
ORDER BY sequence, name;

-- name: select_customer
-- A customer, and how many requests they have that the caller sees. All requests of a customer are of one channel.
SELECT customer_id, channel, external_id, details, language, market, recorded_at, erased_at,
    (
        SELECT count(*) FROM request
        WHERE request.customer_id = customer.customer_id
            AND (:teams::text[] IS NULL OR team IS NULL OR team = ANY(:teams))
    ) AS requests
FROM customer WHERE customer_id = :customer_id;

-- name: find_named_customer
-- A customer as a channel names them.
SELECT customer_id FROM customer WHERE channel = :channel AND external_id = :external_id;

-- name: customer_of_request
-- Whose request it is.
SELECT customer_id FROM request WHERE request_id = :request_id;

-- name: is_customer_erased
-- Whether what is held on a request's customer was destroyed.
SELECT erased_at IS NOT NULL FROM request JOIN customer USING (customer_id) WHERE request_id = :request_id;

-- name: references_of_customer
-- All requests of a customer.
SELECT reference FROM request WHERE customer_id = :customer_id ORDER BY request_id;

-- name: accesses_of_customer
-- Who read personal data of a customer, the oldest first.
SELECT who, subject, roles, route, what, reference, customer_id, occurred_at, real_at, correlation_id
FROM access_record WHERE customer_id = :customer_id OR reference = ANY(:references::text[])
ORDER BY number;

-- name: lock_requests_of_customer
-- Locks all requests of a customer against moves, in one order.
SELECT request_id FROM request WHERE customer_id = :customer_id ORDER BY request_id FOR NO KEY UPDATE;

-- name: lock_customer
-- Locks a customer against everything, new requests too.
SELECT customer_id FROM customer WHERE customer_id = :customer_id FOR UPDATE;

-- name: requests_not_over
-- Requests of a customer that somebody still works on.
SELECT reference FROM request WHERE customer_id = :customer_id AND ended_as IS NULL ORDER BY request_id;

-- name: destroy_personal_data
-- Destroys a customer's key and all that was encrypted with it. The caller holds the locks.
WITH keys AS (
    DELETE FROM customer_key WHERE customer_id = :customer_id RETURNING wrapped
),
contacts AS (
    UPDATE customer SET external_id = NULL, name = NULL, email = NULL, phone = NULL, details = NULL, mark = NULL,
        erased_at = :at
    WHERE customer_id = :customer_id AND erased_at IS NULL
    RETURNING true
),
texts AS (
    DELETE FROM request_text
    WHERE request_id IN (SELECT request_id FROM request WHERE customer_id = :customer_id)
    RETURNING true
),
descriptions AS (
    UPDATE request SET description = NULL, encrypted_description = NULL, external_id = NULL,
        external_id_salt = NULL
    WHERE customer_id = :customer_id AND num_nonnulls(description, encrypted_description, external_id, external_id_salt) > 0
    RETURNING true
),
portraits AS (
    DELETE FROM request_portrait WHERE customer_id = :customer_id RETURNING true
)
SELECT (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM contacts) AS contacts,
    (SELECT count(*) FROM descriptions) AS descriptions, (SELECT count(*) FROM texts) AS texts,
    (SELECT count(*) FROM portraits) AS portraits, (SELECT sha256(wrapped) FROM keys) AS key_fingerprint;

-- name: count_remains
-- What is left of a customer, whatever the record of an erasure says.
SELECT (SELECT count(*) FROM customer_key WHERE customer_id = customer.customer_id) AS keys,
    (num_nonnulls(name, email, phone, details, mark) > 0)::integer AS contacts,
    (
        SELECT count(*) FROM request WHERE request.customer_id = customer.customer_id
            AND num_nonnulls(description, encrypted_description, request.external_id, external_id_salt) > 0
    ) AS descriptions,
    (
        SELECT count(*) FROM request JOIN request_text USING (request_id)
        WHERE request.customer_id = customer.customer_id
    ) AS texts,
    (SELECT count(*) FROM request_portrait WHERE request_portrait.customer_id = customer.customer_id) AS portraits,
    external_id IS NOT NULL AS is_named
FROM customer WHERE customer_id = :customer_id;

-- name: attributes_of_customer
-- How the attributes in the histories of a customer's requests are called, and what was recorded with control points.
SELECT request_id, array_agg(DISTINCT name) AS names
FROM request JOIN request_event USING (request_id),
    LATERAL json_object_keys(coalesce(data -> 'attributes', data -> 'recorded')) AS name
WHERE customer_id = :customer_id
GROUP BY request_id;

-- name: insert_erasure
-- Records that a customer's data were destroyed.
INSERT INTO erasure (customer_id, asked_by, reason, erased_at, real_at, destroyed, key_fingerprint)
VALUES (:customer_id, :asked_by, :reason, :erased_at, :real_at, :destroyed::text::json, :key_fingerprint);

-- name: select_erasure
-- The record of a customer's erasure.
SELECT customer_id, asked_by, reason, erased_at, real_at, destroyed, key_fingerprint, confirmed
FROM erasure WHERE customer_id = :customer_id;

-- name: confirm_erasure
-- Adds what another service destroyed; what it said first stays.
UPDATE erasure SET confirmed = (confirmed::jsonb || :confirmed::text::jsonb)::json
WHERE customer_id = :customer_id AND NOT confirmed::jsonb ? :service;

-- name: read_ends
-- Of some customers the last end of each kind of request; NULL when one of the kind is not over. Nothing is looked up of
-- those whose details are newer than an instant.
SELECT customer_id, kind, ended_at
FROM (
    SELECT customer_id, recorded_at FROM customer
    WHERE customer_id > :after AND erased_at IS NULL
    ORDER BY customer_id LIMIT :count::integer
) AS page
LEFT JOIN LATERAL (
    SELECT kind, CASE WHEN bool_and(ended_as IS NOT NULL) THEN max(closed_at) END AS ended_at
    FROM request WHERE request.customer_id = page.customer_id GROUP BY kind
) AS ends ON recorded_at < :recorded_before
ORDER BY customer_id, kind;

-- name: count_contacts_anew
-- Gives the contacts of some customers their next versions. Whoever is locked is left out, so that nobody waits.
WITH free AS (
    SELECT customer_id FROM customer
    WHERE customer_id = ANY(:customer_ids::uuid[]) AND details IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE customer SET version = version + 1 FROM free WHERE customer.customer_id = free.customer_id
RETURNING customer.customer_id, version, details, language, market;

-- name: plain_customers
-- Customers whose details are stored plain, locked; the others leave them to whoever is at it.
SELECT customer_id, name, email, phone, language, market, version FROM customer
WHERE name IS NOT NULL ORDER BY customer_id LIMIT :count::integer FOR UPDATE SKIP LOCKED;

-- name: encrypt_customers
-- Replaces what is plain.
WITH keyed AS (
    INSERT INTO customer_key (customer_id, wrapped)
    SELECT * FROM unnest(:customer_ids::uuid[], :wrapped_keys::bytea[])
)
UPDATE customer SET name = NULL, email = NULL, phone = NULL, details = news.details, mark = news.mark,
    version = version + 1
FROM unnest(:customer_ids::uuid[], :details::bytea[], :marks::bytea[]) AS news (customer_id, details, mark)
WHERE customer.customer_id = news.customer_id;

-- name: plain_descriptions
-- Descriptions that are stored plain, with the keys of their customers.
SELECT request_id, customer_id, wrapped, description FROM request JOIN customer_key USING (customer_id)
WHERE description IS NOT NULL ORDER BY request_id LIMIT :count::integer FOR NO KEY UPDATE OF request SKIP LOCKED;

-- name: encrypt_descriptions
-- Replaces what is plain.
UPDATE request SET description = NULL, encrypted_description = news.encrypted
FROM unnest(:request_ids::uuid[], :encrypted::bytea[]) AS news (request_id, encrypted)
WHERE request.request_id = news.request_id;

-- name: plain_texts
-- Texts that are stored plain, with the keys of their customers.
SELECT request_id, sequence, request_text.name, customer_id, wrapped, text
FROM request_text JOIN request USING (request_id) JOIN customer_key USING (customer_id)
WHERE text IS NOT NULL ORDER BY request_id LIMIT :count::integer FOR NO KEY UPDATE OF request_text SKIP LOCKED;

-- name: encrypt_texts
-- Replaces what is plain.
UPDATE request_text SET text = NULL, encrypted = news.encrypted
FROM unnest(:request_ids::uuid[], :sequences::integer[], :names::text[], :encrypted::bytea[])
    AS news (request_id, sequence, name, encrypted)
WHERE request_text.request_id = news.request_id AND request_text.sequence = news.sequence
    AND request_text.name = news.name;
