package cart

import (
	"context"
	"net/url"

	"github.com/meridian-store/meridian/contract"
)

func (a *api) acknowledge(ctx context.Context, in *Naming) (*cartOutput, error) {
	return a.withCart(ctx, *in, a.shoppers.acknowledge)
}

type enterInput struct {
	Naming
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"64" doc:"Case does not matter"`
	}
}

func (a *api) enter(ctx context.Context, in *enterInput) (*cartOutput, error) {
	code, err := readCode(in.Body.Code)
	if err != nil {
		return nil, err
	}
	r, err := a.request(ctx, in.Naming)
	if err != nil {
		return nil, err
	}
	done, err := a.shoppers.enter(ctx, r, code)
	if err != nil {
		return nil, err
	}
	return output(in.Naming, r, done), nil
}

type leaveInput struct {
	Naming
	Code string `path:"code" minLength:"1" maxLength:"768" doc:"Percent-encoded; case does not matter"`
}

func (a *api) leave(ctx context.Context, in *leaveInput) (*cartOutput, error) {
	text, err := url.PathUnescape(in.Code)
	if err != nil {
		return nil, contract.Invalid("code", "is not percent-encoded as a path is")
	}
	code, err := readCode(text)
	if err != nil {
		return nil, err
	}
	return a.withCart(ctx, in.Naming, func(ctx context.Context, r request) (answer, error) { return a.shoppers.leave(ctx, r, code) })
}
