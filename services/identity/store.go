package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// userColumns are read by scanAccount.
const userColumns = `u.crdb_region, u.id, u.address_hash, u.email, u.name, u.password_hash, u.role, u.version, u.created_at, u.updated_at`

const (
	insertDirectory = `INSERT INTO login_directory (address_hash, home_region) VALUES ($1, $2)`
	insertUser      = `
		INSERT INTO users (crdb_region, id, address_hash, email, name, password_hash, role, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)`
	// The directory's copy of the row is local everywhere; it leads to the one region to ask.
	selectByAddress = `
		SELECT ` + userColumns + ` FROM login_directory AS d
		JOIN users AS u ON u.crdb_region = d.home_region AND u.address_hash = d.address_hash
		WHERE d.address_hash = $1`
	selectByID = `SELECT ` + userColumns + ` FROM users AS u WHERE u.crdb_region = $1 AND u.id = $2`
	updateUser = `
		UPDATE users SET address_hash = $4, email = $5, name = $6, password_hash = $7, version = version + 1, updated_at = $8
		WHERE crdb_region = $1 AND id = $2 AND version = $3`
	eraseUser = `
		WITH gone AS (DELETE FROM users WHERE crdb_region = $1 AND id = $2 RETURNING address_hash)
		DELETE FROM login_directory WHERE address_hash IN (SELECT address_hash FROM gone)`
)

// store keeps users in their home regions' rows, whichever region asks.
type store struct {
	db *sqldb.DB
	// regions are region names by code, as ids tell them.
	regions map[string]string
}

func newStore(db *sqldb.DB, regions []contract.Region) *store {
	s := &store{db: db, regions: map[string]string{}}
	for _, region := range regions {
		s.regions[region.Code] = region.Name
	}
	return s
}

// homeOf gives the name of the region that an id of a kind is homed in, false when there is none.
func (s *store) homeOf(id, kind string) (string, bool) {
	parsed, err := geo.ParseID(id)
	if err != nil || parsed.Kind != kind {
		return "", false
	}
	name, known := s.regions[parsed.Region]
	return name, known
}

// register writes a user, the directory's entry and a first session: three round trips, one commit. contract.CodeConflict when the
// address has an account already.
func (s *store) register(ctx context.Context, a account, token refreshToken, now time.Time) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(insertDirectory, a.addressHash, a.HomeRegion)
		batch.Queue(insertUser, a.HomeRegion, a.ID, a.addressHash, a.Email, a.Name, a.passwordHash, a.Role, now)
		batch.Queue(insertSession, a.HomeRegion, token.session, a.ID, token.hash[:], now, now.Add(sessionLifetime))
		return tx.SendBatch(ctx, batch).Close()
	})
	if sqldb.IsUniqueViolation(err, "") {
		return errTaken()
	}
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

// byAddress finds the account of an address, wherever it is homed: one round trip, whether or not there is one.
func (s *store) byAddress(ctx context.Context, hash []byte) (found account, known bool, err error) {
	return scanAccount(s.db.QueryRow(ctx, selectByAddress, hash))
}

// byID finds a user; contract.CodeUnauthorized when the account is no more.
func (s *store) byID(ctx context.Context, home, id string) (account, error) {
	found, known, err := scanAccount(s.db.QueryRow(ctx, selectByID, home, id))
	if err == nil && !known {
		err = errNoUser()
	}
	return found, err
}

// update writes what has changed between two states of a user. A new password ends all sessions.
func (s *store) update(ctx context.Context, before, after account, now time.Time) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, updateUser, before.HomeRegion, before.ID, before.Version, after.addressHash, after.Email, after.Name, after.passwordHash, now)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return contract.Errorf(contract.CodeConflict, "the account was changed at the same time; read it and try again")
		}
		if string(before.addressHash) != string(after.addressHash) {
			if _, err := tx.Exec(ctx, `DELETE FROM login_directory WHERE address_hash = $1`, before.addressHash); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, insertDirectory, after.addressHash, after.HomeRegion); err != nil {
				return err
			}
		}
		if before.passwordHash == after.passwordHash {
			return nil
		}
		_, err = tx.Exec(ctx, `DELETE FROM sessions WHERE crdb_region = $1 AND user_id = $2`, before.HomeRegion, before.ID)
		return err
	})
	if sqldb.IsUniqueViolation(err, "") {
		return errTaken()
	}
	if err != nil {
		return fmt.Errorf("change an account: %w", err)
	}
	return nil
}

// rehash stores the same password at another cost, unless it was changed meanwhile.
func (s *store) rehash(ctx context.Context, a account, hash string) error {
	_, err := s.db.Exec(ctx, `UPDATE users SET password_hash = $4 WHERE crdb_region = $1 AND id = $2 AND password_hash = $3`, a.HomeRegion, a.ID, a.passwordHash, hash)
	if err != nil {
		return fmt.Errorf("store a password's new hash: %w", err)
	}
	return nil
}

// setRole changes what a user may do, from their next access token on; contract.CodeNotFound when there is no such user.
func (s *store) setRole(ctx context.Context, home, id, role string, now time.Time) (account, error) {
	row := s.db.QueryRow(ctx, `
		UPDATE users AS u SET role = $3, version = version + 1, updated_at = $4 WHERE u.crdb_region = $1 AND u.id = $2 RETURNING `+userColumns, home, id, role, now)
	found, known, err := scanAccount(row)
	if err == nil && !known {
		err = contract.Errorf(contract.CodeNotFound, "there is no such user")
	}
	return found, err
}

// erase deletes a user with all that hangs on them: one round trip, one commit. It says whether there was one.
func (s *store) erase(ctx context.Context, home, id string) (bool, error) {
	done, err := s.db.Exec(ctx, eraseUser, home, id)
	if err != nil {
		return false, fmt.Errorf("erase an account: %w", err)
	}
	return done.RowsAffected() > 0, nil
}

func scanAccount(row pgx.Row) (a account, known bool, err error) {
	err = row.Scan(&a.HomeRegion, &a.ID, &a.addressHash, &a.Email, &a.Name, &a.passwordHash, &a.Role, &a.Version, &a.CreatedAt, &a.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, fmt.Errorf("read an account: %w", err)
	}
	a.CreatedAt, a.UpdatedAt = a.CreatedAt.UTC(), a.UpdatedAt.UTC()
	return a, true, nil
}
