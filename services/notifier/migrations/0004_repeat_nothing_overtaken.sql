-- What was perhaps seen and holds no more is not sent a second time.
ALTER TABLE notice ADD is_overtaken boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notice.is_overtaken IS 'Taken back when somebody may have seen it already: it is corrected, and never repeated.';
