package identity

import (
	"context"

	"github.com/meridian-store/meridian/contract"
)

// loggedIn is a session just opened or refreshed.
type loggedIn struct {
	access, refresh string
	user            contract.User
}

// register makes an account homed in this region and opens its first session; contract.CodeConflict when the address has one.
func (s *Service) register(ctx context.Context, email, name, password string) (loggedIn, error) {
	email, err := validateEmail("email", email)
	if err != nil {
		return loggedIn{}, err
	}
	if name, err = validateName("name", name); err != nil {
		return loggedIn{}, err
	}
	if err := validatePassword("password", password); err != nil {
		return loggedIn{}, err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return loggedIn{}, err
	}
	now := sqlTime(s.now())
	made := account{passwordHash: hash, addressHash: s.hashAddress(email), User: contract.User{
		ID: s.ids.New(contract.KindUser, s.region.Code), Email: email, Name: name, Role: contract.RoleShopper, HomeRegion: s.region.Name,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}}
	token, text := newRefreshToken(s.ids.New(kindSession, s.region.Code))
	if err := s.store.register(ctx, made, token, now); err != nil {
		return loggedIn{}, err
	}
	return s.admit(made, text)
}

// login opens a session for whoever knows an address's password. What it answers and costs does not tell whether there is an
// account, but for the write that follows a right password.
func (s *Service) login(ctx context.Context, email, password string) (loggedIn, error) {
	admitted, err := s.tryLogin(ctx, email, password)
	outcome := "ok"
	switch contract.CodeOf(err) {
	case "":
	case contract.CodeUnauthorized:
		outcome = "wrong"
	case contract.CodeTooMany:
		outcome = "throttled"
	default:
		outcome = "failed"
	}
	s.logins.WithLabelValues(outcome).Inc()
	return admitted, err
}

func (s *Service) tryLogin(ctx context.Context, email, password string) (loggedIn, error) {
	addressHash := s.hashAddress(email)
	if err := s.throttle.attempt(ctx, addressHash); err != nil {
		return loggedIn{}, err
	}
	found, _, err := s.store.byAddress(ctx, addressHash)
	if err != nil {
		return loggedIn{}, err
	}
	right, err := s.passwords.matches(ctx, found.passwordHash, password)
	if err != nil {
		return loggedIn{}, err
	}
	if !right {
		return loggedIn{}, errWrongLogin()
	}
	s.throttle.forget(ctx, addressHash)
	if err := s.renew(ctx, found, password); err != nil {
		return loggedIn{}, err
	}
	home, err := s.codeOf(found.ID)
	if err != nil {
		return loggedIn{}, err
	}
	token, text := newRefreshToken(s.ids.New(kindSession, home))
	if err := s.store.open(ctx, found, token, sqlTime(s.now())); err != nil {
		return loggedIn{}, err
	}
	return s.admit(found, text)
}

// renew hashes a password again that was hashed at another cost than today's: only now is it known.
func (s *Service) renew(ctx context.Context, found account, password string) error {
	if !outdated(found.passwordHash) {
		return nil
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.store.rehash(ctx, found, hash)
}

// refresh takes a refresh token that has not served and gives the next; contract.CodeUnauthorized for any other.
func (s *Service) refresh(ctx context.Context, text string) (loggedIn, error) {
	used, wellFormed := parseRefreshToken(text)
	if !wellFormed {
		return loggedIn{}, errNoSession()
	}
	next, nextText := newRefreshToken(used.session)
	found, err := s.store.rotate(ctx, used, next, sqlTime(s.now()))
	if err != nil {
		return loggedIn{}, err
	}
	return s.admit(found, nextText)
}

// logout ends the session of a refresh token. One that opens nothing is as good as logged out.
func (s *Service) logout(ctx context.Context, text string) error {
	token, wellFormed := parseRefreshToken(text)
	if !wellFormed {
		return nil
	}
	return s.store.end(ctx, token)
}

// admit mints the access token, with this region's key wherever the user is homed.
func (s *Service) admit(a account, refresh string) (loggedIn, error) {
	access, err := s.signer.Mint(a.ID, a.Role, s.now(), accessLifetime)
	if err != nil {
		return loggedIn{}, err
	}
	return loggedIn{access: access, refresh: refresh, user: a.User}, nil
}
