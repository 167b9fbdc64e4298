-- works-with: 0004
-- migrate:up transaction:false

-- A search looks for a part of the user name or of both names, as they are shown.
DROP INDEX CONCURRENTLY IF EXISTS idx__users__names;
CREATE INDEX CONCURRENTLY idx__users__names ON users
    USING gin ((user_name || ' ' || first_name || ' ' || last_name) gin_trgm_ops)
    WHERE deleted_at IS NULL;
