-- works-with: 0004
-- migrate:up

-- Not only orders may be sent twice: a key belongs to the path that it was sent to, and keeps the
-- answer that was given, as JSON.
ALTER TABLE idempotency_keys
    ALTER COLUMN order_id DROP NOT NULL,
    ADD COLUMN endpoint text NOT NULL DEFAULT '/api/orders',
    ADD COLUMN answer text;


-- The rest is for servers of the version before, which know keys of orders alone and may run beside
-- new ones. They store `order_id` without an answer, and read `order_id`.
CREATE FUNCTION order_as_created(wanted_id uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', o.id,
        'user_id', o.user_id,
        'items', (
            SELECT json_agg(
                json_build_object(
                    'product_id', i.product_id,
                    'name', i.name,
                    'price', i.price::text,
                    'quantity', i.quantity
                )
                ORDER BY i.position
            )
            FROM order_items i
            WHERE i.order_id = o.id
        ),
        'total_price', o.total_price::text,
        'status', 'PENDING',
        'created_at', t.created_at,
        'updated_at', t.created_at
    )::text
    FROM orders o
    -- As in every answer: microseconds, unless they are zero.
    CROSS JOIN LATERAL replace(
        to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z'
    ) AS t (created_at)
    WHERE o.id = wanted_id
$$;

CREATE FUNCTION link_key_and_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.order_id <> OLD.order_id OR OLD.order_id IS NULL AND NEW.order_id IS NOT NULL THEN
        -- An old server uses an expired key again.
        NEW.endpoint := '/api/orders';
        NEW.answer := NULL;
    ELSIF NEW.endpoint = '/api/orders' AND NEW.answer IS NOT NULL THEN
        NEW.order_id := NEW.answer::json ->> 'id';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER tr__idempotency_keys__link BEFORE UPDATE OF order_id, answer ON idempotency_keys
    FOR EACH ROW EXECUTE FUNCTION link_key_and_order();

CREATE FUNCTION answer_for_old_server() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE idempotency_keys
    SET answer = order_as_created(NEW.order_id)
    WHERE user_id = NEW.user_id AND key = NEW.key;
    RETURN NULL;
END $$;

-- When the order is complete.
CREATE CONSTRAINT TRIGGER tr__idempotency_keys__answer
    AFTER INSERT OR UPDATE OF order_id ON idempotency_keys
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL AND NEW.answer IS NULL)
    EXECUTE FUNCTION answer_for_old_server();

UPDATE idempotency_keys SET answer = order_as_created(order_id);
