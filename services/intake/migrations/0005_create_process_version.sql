-- Every version of every process definition, as it was written. Append-only: a request keeps the version it began with.
CREATE TABLE process_version (
    process text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    source text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('file', 'api')),
    author text NOT NULL,
    reason text,
    applied_at timestamptz NOT NULL,
    change bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (process, version)
);
COMMENT ON COLUMN process_version.author IS 'The caller of the API, or the name of the file.';
COMMENT ON COLUMN process_version.applied_at IS 'Business time.';
COMMENT ON COLUMN process_version.change IS 'Grows with every change, so that a process sees that there are new ones.';

-- What requests followed before definitions were kept here.
INSERT INTO process_version (process, version, source, origin, author, reason, applied_at)
SELECT process, 1, source, 'file', process || '.v1.yml', 'from before definitions were kept in the database', now()
FROM (VALUES
    ('claim', 'format: "1"
process: claim
kind: claim
start: received
stages:
  received: {role: claims_intake, next: [assessment], outcomes: [withdrawn]}
  assessment: {role: claims_assessor, next: [documents, decision]}
  documents: {role: claims_assessor, next: [assessment]}
  decision: {role: claims_decider, next: [payment]}
  payment: {role: payments}
outcomes: {paid: {}, declined: {}, withdrawn: {}}
pauses: {customer_documents: customer, third_party: third_party, customer_decision: customer}
'),
    ('complaint', 'format: "1"
process: complaint
kind: complaint
start: received
stages:
  received: {role: complaints, next: [investigation], outcomes: [withdrawn]}
  investigation: {role: complaints, next: [reply]}
  reply: {role: complaints}
outcomes: {upheld: {}, rejected: {}, withdrawn: {}}
pauses: {customer_documents: customer, third_party: third_party, customer_decision: customer}
'),
    ('enquiry', 'format: "1"
process: enquiry
kind: enquiry
start: received
stages:
  received: {role: customer_service, next: [answering]}
  answering: {role: customer_service}
outcomes: {answered: {}, withdrawn: {}}
pauses: {customer_documents: customer, third_party: third_party, customer_decision: customer}
'),
    ('policy_service', 'format: "1"
process: policy_service
kind: policy_service
start: received
stages:
  received: {role: policy_service, next: [processing]}
  processing: {role: policy_service, next: [done_check]}
  done_check: {role: policy_service}
outcomes: {done: {}, declined: {}, withdrawn: {}}
pauses: {customer_documents: customer, third_party: third_party, customer_decision: customer}
'),
    ('underwriting', 'format: "1"
process: underwriting
kind: underwriting
start: received
stages:
  received: {role: underwriting, next: [risk_assessment], outcomes: [withdrawn]}
  risk_assessment: {role: underwriting, next: [offer]}
  offer: {role: underwriting}
outcomes: {accepted: {}, declined: {}, withdrawn: {}}
pauses: {customer_documents: customer, third_party: third_party, customer_decision: customer}
')) AS known (process, source)
WHERE EXISTS (SELECT FROM request);

GRANT SELECT, INSERT ON process_version TO {role};
