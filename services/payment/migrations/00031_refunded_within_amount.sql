-- +goose Up
ALTER TABLE payments ADD CONSTRAINT payments_refunded_within_amount CHECK (refunded >= 0 AND refunded <= amount);

-- +goose Down
ALTER TABLE payments DROP CONSTRAINT payments_refunded_within_amount;
