package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/auth"
)

// bearer is the user that a request's token proves, and where they are homed.
type bearer struct{ id, home string }

// bearerOf reads the verified token; contract.CodeForbidden for one that is not a user's.
func (s *Service) bearerOf(ctx context.Context) (bearer, error) {
	claims, _ := auth.FromContext(ctx)
	home, known := s.store.homeOf(claims.Subject, contract.KindUser)
	if !known {
		return bearer{}, contract.Errorf(contract.CodeForbidden, "this token is not a user's")
	}
	return bearer{claims.Subject, home}, nil
}

// Change is what a user changes of their account; what is absent stays.
type Change struct {
	Name  *string `json:"name,omitempty" maxLength:"200"`
	Email *string `json:"email,omitempty" minLength:"3" maxLength:"254"`
	// Password is the new one.
	Password        *string `json:"password,omitempty" maxLength:"128" doc:"The new one, of 8 to 128 characters; every session ends"`
	CurrentPassword string  `json:"current_password,omitempty" maxLength:"128" doc:"Needed to change the email address or the password"`
}

// change applies a change of one's own account.
func (s *Service) change(ctx context.Context, who bearer, asked Change) (account, error) {
	before, err := s.store.byID(ctx, who.home, who.id)
	if err != nil {
		return account{}, err
	}
	after := before
	if asked.Name != nil {
		if after.Name, err = validateName("name", *asked.Name); err != nil {
			return account{}, err
		}
	}
	if asked.Email != nil {
		if after.Email, err = validateEmail("email", *asked.Email); err != nil {
			return account{}, err
		}
		after.addressHash = s.hashAddress(after.Email)
	}
	if asked.Password != nil {
		if err := validatePassword("password", *asked.Password); err != nil {
			return account{}, err
		}
	}
	if asked.Email != nil || asked.Password != nil {
		if err := s.confirm(ctx, before, asked.CurrentPassword); err != nil {
			return account{}, err
		}
	}
	if asked.Password != nil {
		if after.passwordHash, err = s.passwords.hash(ctx, *asked.Password); err != nil {
			return account{}, err
		}
	}
	after.UpdatedAt, after.Version = sqlTime(s.now()), before.Version+1
	return after, s.store.update(ctx, before, after, after.UpdatedAt)
}

// confirm asks for the password where a stolen token must not be enough. It counts as an attempt to log in.
func (s *Service) confirm(ctx context.Context, a account, password string) error {
	if err := s.throttle.attempt(ctx, a.addressHash); err != nil {
		return err
	}
	right, err := s.passwords.matches(ctx, a.passwordHash, password)
	if err != nil {
		return err
	}
	if !right {
		err := contract.Errorf(contract.CodeForbidden, "is not the password of this account")
		err.Field = "current_password"
		return err
	}
	s.throttle.forget(ctx, a.addressHash)
	return nil
}

// Export is all that is kept of a user, but for hashes.
type Export struct {
	User       contract.User           `json:"user"`
	Addresses  []contract.SavedAddress `json:"addresses"`
	Sessions   []Session               `json:"sessions"`
	Orders     []contract.Order        `json:"orders"`
	ExportedAt time.Time               `json:"exported_at"`
}

// export gathers what is kept of a user. authorization is their own, in whose name the orders are read.
func (s *Service) export(ctx context.Context, who bearer, authorization string) (Export, error) {
	found, err := s.store.byID(ctx, who.home, who.id)
	if err != nil {
		return Export{}, err
	}
	all := Export{User: found.User, ExportedAt: s.now().UTC()}
	if all.Addresses, err = s.store.addresses(ctx, who.home, who.id); err != nil {
		return Export{}, err
	}
	if all.Sessions, err = s.store.sessionsOf(ctx, who.home, who.id); err != nil {
		return Export{}, err
	}
	all.Orders, err = s.neighbours.orders(ctx, authorization)
	return all, err
}

// codeOf gives the code of an id's home region.
func (s *Service) codeOf(id string) (string, error) {
	parsed, err := geo.ParseID(id)
	if err != nil {
		return "", fmt.Errorf("the id of an account: %w", err)
	}
	return parsed.Region, nil
}

// validateAddress refuses what a checkout would refuse later.
func validateAddress(address contract.Address) error {
	if err := address.Validate("address"); err != nil {
		return err
	}
	if !geo.ValidCountry(address.Country) {
		return contract.Invalid("address.country", "%q is not an ISO 3166-1 alpha-2 code such as IE", address.Country)
	}
	return nil
}

// sqlTime cuts a time to what SQL keeps, so that it reads the same from memory and from its row.
func sqlTime(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }
