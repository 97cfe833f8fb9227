package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	insertSession = `
		INSERT INTO sessions (crdb_region, id, user_id, token_hash, created_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)`
	rotateSession = `
		UPDATE sessions AS s SET token_hash = $4, used_at = $5, expires_at = $6 FROM users AS u
		WHERE s.crdb_region = $1 AND s.id = $2 AND s.token_hash = $3 AND s.expires_at > $5 AND u.crdb_region = $1 AND u.id = s.user_id
		RETURNING ` + userColumns
	endSession     = `DELETE FROM sessions WHERE crdb_region = $1 AND id = $2`
	sessionsOfUser = `SELECT created_at, used_at, expires_at FROM sessions WHERE crdb_region = $1 AND user_id = $2 ORDER BY created_at`
	expireSessions = `
		DELETE FROM sessions WHERE crdb_region = $1 AND id IN (
			SELECT id FROM sessions WHERE crdb_region = $1 AND expires_at <= $2 ORDER BY crdb_region, expires_at LIMIT $3)`
)

// Session is a session as its user's export shows it.
type Session struct {
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at" doc:"When it was last refreshed"`
	ExpiresAt time.Time `json:"expires_at"`
}

// open begins a session: one round trip, one commit.
func (s *store) open(ctx context.Context, a account, token refreshToken, now time.Time) error {
	if _, err := s.db.Exec(ctx, insertSession, a.HomeRegion, token.session, a.ID, token.hash[:], now, now.Add(sessionLifetime)); err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	return nil
}

// rotate puts the next token in the place of one that has not served: one round trip, one commit. Any other token of the session
// has been seen by two, and ends it: contract.CodeUnauthorized.
func (s *store) rotate(ctx context.Context, used, next refreshToken, now time.Time) (account, error) {
	home, known := s.regions[used.region]
	if !known {
		return account{}, errNoSession()
	}
	row := s.db.QueryRow(ctx, rotateSession, home, used.session, used.hash[:], next.hash[:], now, now.Add(sessionLifetime))
	found, known, err := scanAccount(row)
	if err != nil {
		return account{}, fmt.Errorf("rotate a session: %w", err)
	}
	if !known {
		if err := s.end(ctx, used); err != nil {
			return account{}, err
		}
		return account{}, errNoSession()
	}
	return found, nil
}

// end closes the session of a token, whether or not it has served; ending twice is fine.
func (s *store) end(ctx context.Context, token refreshToken) error {
	home, known := s.regions[token.region]
	if !known {
		return nil
	}
	if _, err := s.db.Exec(ctx, endSession, home, token.session); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// sessionsOf lists a user's sessions, oldest first.
func (s *store) sessionsOf(ctx context.Context, home, userID string) ([]Session, error) {
	rows, err := s.db.Query(ctx, sessionsOfUser, home, userID)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sessions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Session, error) {
		var one Session
		err := row.Scan(&one.CreatedAt, &one.UsedAt, &one.ExpiresAt)
		return Session{one.CreatedAt.UTC(), one.UsedAt.UTC(), one.ExpiresAt.UTC()}, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, nil
}

// expire deletes some of a region's sessions that have run out, and says how many: one round trip, one commit.
func (s *store) expire(ctx context.Context, home string, now time.Time, limit int) (int64, error) {
	done, err := s.db.Exec(ctx, expireSessions, home, now, limit)
	if err != nil {
		return 0, fmt.Errorf("delete expired sessions: %w", err)
	}
	return done.RowsAffected(), nil
}
