package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

const (
	addressesOfUser = `SELECT id, address FROM user_addresses WHERE crdb_region = $1 AND user_id = $2 ORDER BY id`
	insertAddress   = `
		INSERT INTO user_addresses (crdb_region, user_id, id, address)
		SELECT u.crdb_region, u.id, $3, $4::JSONB FROM users AS u
		WHERE u.crdb_region = $1 AND u.id = $2 AND (SELECT count(*) FROM user_addresses WHERE crdb_region = $1 AND user_id = $2) < $5`
	updateAddress = `UPDATE user_addresses SET address = $4::JSONB WHERE crdb_region = $1 AND user_id = $2 AND id = $3`
	deleteAddress = `DELETE FROM user_addresses WHERE crdb_region = $1 AND user_id = $2 AND id = $3`
)

// addresses lists a user's addresses, oldest first.
func (s *store) addresses(ctx context.Context, home, userID string) ([]contract.SavedAddress, error) {
	rows, err := s.db.Query(ctx, addressesOfUser, home, userID)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.SavedAddress, error) {
		var saved contract.SavedAddress
		var address []byte
		if err := row.Scan(&saved.ID, &address); err != nil {
			return saved, err
		}
		return saved, json.Unmarshal(address, &saved.Address)
	})
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	return list, nil
}

// addAddress keeps one more address. The user's row is locked first, so that the limit holds for additions at the same time.
func (s *store) addAddress(ctx context.Context, home, userID string, saved contract.SavedAddress) error {
	text, err := json.Marshal(saved.Address)
	if err != nil {
		return fmt.Errorf("encode an address: %w", err)
	}
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var locked string
		err := tx.QueryRow(ctx, `SELECT id FROM users WHERE crdb_region = $1 AND id = $2 FOR UPDATE`, home, userID).Scan(&locked)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoUser()
		}
		if err != nil {
			return err
		}
		done, err := tx.Exec(ctx, insertAddress, home, userID, saved.ID, string(text), contract.MaxAddresses)
		if err == nil && done.RowsAffected() == 0 {
			err = contract.Errorf(contract.CodeConflict, "an account keeps at most %d addresses", contract.MaxAddresses)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add an address: %w", err)
	}
	return nil
}

// setAddress replaces an address; contract.CodeNotFound when the user has none of that id.
func (s *store) setAddress(ctx context.Context, home, userID string, saved contract.SavedAddress) error {
	text, err := json.Marshal(saved.Address)
	if err != nil {
		return fmt.Errorf("encode an address: %w", err)
	}
	return s.onAddress(ctx, updateAddress, home, userID, saved.ID, string(text))
}

// dropAddress deletes an address; contract.CodeNotFound when the user has none of that id.
func (s *store) dropAddress(ctx context.Context, home, userID, id string) error {
	return s.onAddress(ctx, deleteAddress, home, userID, id)
}

func (s *store) onAddress(ctx context.Context, sql string, args ...any) error {
	done, err := s.db.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("change an address: %w", err)
	}
	if done.RowsAffected() == 0 {
		return errNoAddress()
	}
	return nil
}
