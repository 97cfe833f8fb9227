package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// StartRegion has the copy that runs from a home start a region, or mend one that is broken, and returns when all of it is ready.
func StartRegion(ctx context.Context, home Home, name string) (Membership, error) {
	return askControl(ctx, home, http.MethodPut, name)
}

// StopRegion has the copy stop a region, which leaves its data, and returns when no process of it is left.
func StopRegion(ctx context.Context, home Home, name string) (Membership, error) {
	return askControl(ctx, home, http.MethodDelete, name)
}

// RestartRegion has the copy stop every process of a region in order and start it again. It returns when all of it is ready and has its
// shoppers back.
func RestartRegion(ctx context.Context, home Home, name string) (Membership, error) {
	return askControl(ctx, home, http.MethodPost, name, "restart")
}

// LoseRegion has the copy kill every process of a region at once and leave it so until StartRegion.
func LoseRegion(ctx context.Context, home Home, name string) (Membership, error) {
	return askControl(ctx, home, http.MethodDelete, name, "processes")
}

// controlTimeout bounds starting or stopping a region, also one whose engines have much data to read first.
const controlTimeout = 30 * time.Minute

func askControl(ctx context.Context, home Home, method, name string, more ...string) (Membership, error) {
	client := httpclient.New(httpclient.Options{
		Timeout: controlTimeout, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return home.dial(ctx, controlSocket) },
	})
	request, err := http.NewRequestWithContext(ctx, method, "http://meridian/regions/"+path.Join(append([]string{url.PathEscape(name)}, more...)...), http.NoBody)
	if err != nil {
		return Membership{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Membership{}, fmt.Errorf("ask the copy that runs from %s: %w", home.Dir(), err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var problem controlProblem
		if err := json.NewDecoder(response.Body).Decode(&problem); err != nil || problem.Error == "" {
			return Membership{}, fmt.Errorf("the copy that runs from %s answers %s", home.Dir(), response.Status)
		}
		return Membership{}, errors.New(problem.Error)
	}
	var answer Membership
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return Membership{}, fmt.Errorf("read the answer of the copy that runs from %s: %w", home.Dir(), err)
	}
	return answer, nil
}

// dial connects to a socket in the home, however long the home's path is.
func (h Home) dial(ctx context.Context, name string) (net.Conn, error) {
	folder, err := os.Open(h.dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), name))
}
