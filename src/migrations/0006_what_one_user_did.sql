-- works-with: 0004
-- migrate:up transaction:false

-- For the export and the erasure of an account: its replies and deleted posts too, and what it did
-- as an administrator.
DROP INDEX CONCURRENTLY IF EXISTS idx__posts__author;
CREATE INDEX CONCURRENTLY idx__posts__author ON posts (user_id, id);
DROP INDEX CONCURRENTLY IF EXISTS idx__audit_log__actor_id;
CREATE INDEX CONCURRENTLY idx__audit_log__actor_id ON audit_log (actor_id, id);
