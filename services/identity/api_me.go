package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

type userOutput struct {
	ETag string `header:"ETag"`
	Body contract.User
}

func userAnswer(a account) *userOutput {
	return &userOutput{ETag: httpx.ETag(a.ID, a.Version), Body: a.User}
}

func (s *Service) getMe(ctx context.Context, _ *struct{}) (*userOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.store.byID(ctx, who.home, who.id)
	if err != nil {
		return nil, err
	}
	return userAnswer(found), nil
}

type changeInput struct{ Body Change }

func (s *Service) patchMe(ctx context.Context, in *changeInput) (*userOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	changed, err := s.change(ctx, who, in.Body)
	if err != nil {
		return nil, err
	}
	return userAnswer(changed), nil
}

func (s *Service) deleteMe(ctx context.Context, _ *struct{}) (*struct{}, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	erased, err := s.store.erase(ctx, who.home, who.id)
	if err == nil && !erased {
		err = errNoUser()
	}
	return nil, err
}

type exportInput struct {
	Authorization string `header:"Authorization"`
}

type exportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        Export
}

func (s *Service) getExport(ctx context.Context, in *exportInput) (*exportOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.export(ctx, who, in.Authorization)
	if err != nil {
		return nil, err
	}
	return &exportOutput{Disposition: `attachment; filename="account.json"`, Body: all}, nil
}

type addressesOutput struct {
	Body struct {
		Items []contract.SavedAddress `json:"items"`
	}
}

func (s *Service) getAddresses(ctx context.Context, _ *struct{}) (*addressesOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	out := &addressesOutput{}
	out.Body.Items, err = s.store.addresses(ctx, who.home, who.id)
	return out, err
}

type addressOutput struct{ Body contract.SavedAddress }

type postAddressInput struct{ Body contract.Address }

func (s *Service) postAddress(ctx context.Context, in *postAddressInput) (*addressOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	code, err := s.codeOf(who.id)
	if err != nil {
		return nil, err
	}
	saved := contract.SavedAddress{ID: s.ids.New(kindAddress, code), Address: in.Body}
	if err := checkAddress(saved.Address); err != nil {
		return nil, err
	}
	return &addressOutput{saved}, s.store.addAddress(ctx, who.home, who.id, saved)
}

type putAddressInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body contract.Address
}

func (s *Service) putAddress(ctx context.Context, in *putAddressInput) (*addressOutput, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	saved := contract.SavedAddress{ID: in.ID, Address: in.Body}
	if err := checkAddress(saved.Address); err != nil {
		return nil, err
	}
	return &addressOutput{saved}, s.store.setAddress(ctx, who.home, who.id, saved)
}

type deleteAddressInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) deleteAddress(ctx context.Context, in *deleteAddressInput) (*struct{}, error) {
	who, err := s.bearerOf(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.store.dropAddress(ctx, who.home, who.id, in.ID)
}

// checkAddress names the field as the request's body does, whose whole the address is.
func checkAddress(address contract.Address) error {
	err := validateAddress(address)
	var typed *contract.Error
	if errors.As(err, &typed) {
		typed.Field = strings.TrimPrefix(typed.Field, "address.")
	}
	return err
}
