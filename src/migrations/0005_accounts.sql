-- works-with: 0004
-- migrate:up

-- What a person types is stored and looked for in one form (NFC): a letter with its accent is one
-- character, however it was typed.
UPDATE posts SET text = normalize(text, NFC) WHERE text IS NOT NFC NORMALIZED;
UPDATE products SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED;
UPDATE roles SET description = normalize(description, NFC) WHERE description IS NOT NFC NORMALIZED;
UPDATE users
SET first_name = normalize(first_name, NFC),
    last_name = normalize(last_name, NFC),
    middle_name = normalize(middle_name, NFC),
    email = normalize(email, NFC)
WHERE deleted_at IS NULL
  AND concat(first_name, last_name, middle_name, email) IS NOT NFC NORMALIZED;


-- An address that its owner has not confirmed yet does not replace the one that was confirmed.
ALTER TABLE users ADD COLUMN pending_email varchar(254);

-- A token speaks of the address, or the password, that the user had when it was sent.
CREATE OR REPLACE FUNCTION drop_outdated_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF lower(NEW.email) IS DISTINCT FROM lower(OLD.email) THEN
        -- Unless this very change confirms the address.
        IF NEW.email_confirmed_at IS NOT DISTINCT FROM OLD.email_confirmed_at THEN
            NEW.email_confirmed_at := NULL;
        END IF;
        DELETE FROM tokens WHERE user_id = NEW.id;
    END IF;
    IF lower(NEW.pending_email) IS DISTINCT FROM lower(OLD.pending_email) THEN
        DELETE FROM tokens WHERE user_id = NEW.id AND purpose = 'email_confirm';
    END IF;
    IF NEW.password_hash <> OLD.password_hash THEN
        DELETE FROM tokens WHERE user_id = NEW.id AND purpose = 'password_reset';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER tr__users__drop_outdated_tokens ON users;
CREATE TRIGGER tr__users__drop_outdated_tokens
    BEFORE UPDATE OF email, pending_email, password_hash ON users
    FOR EACH ROW EXECUTE FUNCTION drop_outdated_tokens();

-- The code in a mail is made from this and from a secret of the server, so the same code can be
-- mailed again although only its hash is stored.
ALTER TABLE tokens ADD COLUMN nonce bytea;


-- Whoever deletes an account, and however: nothing that names the person stays in it. The row
-- stays for the posts, orders and counters that point to it.
CREATE FUNCTION erase_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.user_name := 'deleted';
    NEW.first_name := 'deleted';
    NEW.last_name := 'deleted';
    NEW.middle_name := NULL;
    NEW.email := NULL;
    NEW.pending_email := NULL;
    NEW.email_confirmed_at := NULL;
    NEW.password_hash := '';
    NEW.is_superuser := false;
    NEW.updated_at := now();
    DELETE FROM sessions WHERE user_id = NEW.id;
    DELETE FROM tokens WHERE user_id = NEW.id;
    DELETE FROM user_roles WHERE user_id = NEW.id;
    DELETE FROM idempotency_keys WHERE user_id = NEW.id;
    UPDATE posts SET text = 'deleted' WHERE user_id = NEW.id AND deleted_at IS NOT NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER tr__users__erase BEFORE UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION erase_user();

-- Accounts that were deleted before.
UPDATE users
SET user_name = 'deleted', first_name = 'deleted', last_name = 'deleted', middle_name = NULL,
    email = NULL, email_confirmed_at = NULL, password_hash = '', is_superuser = false
WHERE deleted_at IS NOT NULL;
DELETE FROM sessions USING users u WHERE u.id = user_id AND u.deleted_at IS NOT NULL;
DELETE FROM tokens USING users u WHERE u.id = user_id AND u.deleted_at IS NOT NULL;
DELETE FROM user_roles USING users u WHERE u.id = user_id AND u.deleted_at IS NOT NULL;
DELETE FROM idempotency_keys USING users u WHERE u.id = user_id AND u.deleted_at IS NOT NULL;
UPDATE posts p
SET text = 'deleted'
FROM users u
WHERE p.deleted_at IS NOT NULL AND u.id = p.user_id AND u.deleted_at IS NOT NULL;
