package launcher

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/local/link"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions/status"
)

// LinkMode says how the links between regions begin.
type LinkMode string

// Links are as fast as this machine (none) or as slow as the distance (realistic).
const (
	LinksNone      LinkMode = "none"
	LinksRealistic LinkMode = "realistic"
)

const (
	linksProcess = "links"
	linksFile    = "links.json"
	linksLock    = "links.lock"
	// applyTimeout is how long a change may wait for the links' process, which may just be coming back.
	applyTimeout = 5 * time.Second
	applyRetry   = 50 * time.Millisecond
)

// startLinks writes every link down, healed, and starts the process that serves them. One region alone has none.
func (l *launcher) startLinks(ctx context.Context) error {
	book := link.Book{Entries: l.links()}
	if err := l.Home.writeJSON(linksFile, book); err != nil {
		return err
	}
	if len(book.Entries) == 0 {
		return nil
	}
	return l.startAll(ctx, []process.Spec{l.linksSpec(book)})
}

// links gives the links of each ordered pair of regions, in region order.
func (l *launcher) links() []link.Entry {
	var entries []link.Entry
	for i, from := range l.Regions {
		for j, to := range l.Regions {
			if i == j {
				continue
			}
			planes := []link.Link{{Plane: link.PlaneGateway, Listen: address(l.ports.Link(i, j)), Upstream: address(l.ports.Gateway(j))}}
			// A broker that stands elsewhere is behind real links.
			if len(to.Engines.Brokers) == 0 {
				planes = append(planes, link.Link{Plane: link.PlaneBroker, Listen: address(l.ports.BrokerLink(i, j)), Upstream: address(l.ports.Broker(j))})
			}
			for _, plane := range planes {
				plane.From, plane.To = from.Name, to.Name
				entry := link.Entry{Link: plane, ModelMS: link.Model(from.Point, to.Point)}
				if l.Links == LinksRealistic {
					entry.Usual.RoundTripMS = entry.ModelMS
				}
				entry.Now = entry.Usual
				entries = append(entries, entry)
			}
		}
	}
	return entries
}

func (l *launcher) linksSpec(book link.Book) process.Spec {
	control := link.Control{API: address(l.ports.LinksAPI())}
	args := []string{"engine", "links", "--api", control.API, "--book", l.Home.Path(linksFile)}
	for _, entry := range book.Entries {
		args = append(args, "--link", entry.String())
	}
	return process.Spec{Name: linksProcess, Path: l.Binary, Args: args, LogFile: l.Home.Log("", linksProcess), Ready: control.Ready}
}

func (l *launcher) linkPorts() []int {
	var ports []int
	for i := range l.Regions {
		for j := range l.Regions {
			if i != j {
				ports = append(ports, l.ports.Link(i, j), l.ports.BrokerLink(i, j))
			}
		}
	}
	if len(ports) > 0 {
		ports = append(ports, l.ports.LinksAPI())
	}
	return ports
}

// peers tells the i-th region where the links to the others begin: region=url, comma-separated.
func (l *launcher) peers(i int) string {
	var peers []string
	for j, region := range l.Regions {
		if j != i {
			peers = append(peers, region.Name+"="+l.url(l.ports.Link(i, j)))
		}
	}
	return strings.Join(peers, ",")
}

// peerBrokers tells the i-th region's mirror which brokers the others have, and where the links to those on this machine begin.
func (l *launcher) peerBrokers(i int) []string {
	var brokers, links []string
	for j, region := range l.Regions {
		if j == i {
			continue
		}
		brokers = append(brokers, region.Name+"="+strings.Join(l.brokers(j), "|"))
		if len(region.Engines.Brokers) == 0 {
			links = append(links, region.Name+"="+address(l.ports.BrokerLink(i, j)))
		}
	}
	return []string{"MERIDIAN_PEER_BROKERS=" + strings.Join(brokers, ","), "MERIDIAN_PEER_BROKER_LINKS=" + strings.Join(links, ",")}
}

func (s State) links(home Home) (status.Links, error) {
	book, err := link.ReadBook(home.Path(linksFile))
	if err != nil {
		return status.Links{}, err
	}
	child := s.child(linksProcess)
	links := status.Links{
		API: address(Ports{Base: s.BasePort}.LinksAPI()), Ready: child.Ready, PID: child.PID, Restarts: child.Restarts,
	}
	for _, entry := range book.Entries {
		links.Items = append(links.Items, linkStatus(entry))
	}
	return links, nil
}

func linkStatus(entry link.Entry) status.Link {
	return status.Link{
		From: entry.From, To: entry.To, Plane: string(entry.Plane), Listen: entry.Listen, Upstream: entry.Upstream,
		ModelMS: entry.ModelMS, Usual: status.Condition(entry.Usual), Now: status.Condition(entry.Now),
	}
}

// ReadLinks gives every link of the copy of a home, as the book has it.
func ReadLinks(home Home) ([]link.Entry, error) {
	book, err := link.ReadBook(home.Path(linksFile))
	return book.Entries, err
}

// ChangeLinks edits the link between two regions, and the way back when both is true, and returns when it behaves so. What was
// changed is written down first: a links' process that is killed meanwhile comes back with it.
func ChangeLinks(ctx context.Context, home Home, from, to string, both bool, edit func(*link.Entry)) (_ []link.Entry, err error) {
	state, _, err := ReadState(home)
	if err != nil {
		return nil, err
	}
	unlock, err := lockLinks(home)
	if err != nil {
		return nil, err
	}
	defer unlock()
	book, err := link.ReadBook(home.Path(linksFile))
	if err != nil {
		return nil, err
	}
	changed, err := book.Change(from, to, both, edit)
	if err != nil {
		return nil, err
	}
	if err := home.writeJSON(linksFile, book); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	control := link.Control{API: address(Ports{Base: state.BasePort}.LinksAPI())}
	for _, entry := range changed {
		if err := until(ctx, applyRetry, func(ctx context.Context) error { return control.Apply(ctx, entry.Name(), entry.Now) }); err != nil {
			return nil, fmt.Errorf("the change is written down, but the links' process has not taken it (%w): it does when it is back, see `meridian status`", err)
		}
	}
	return changed, nil
}

// lockLinks lets one change at a time into the book; the kernel lets go of it when its holder dies.
func lockLinks(home Home) (unlock func(), err error) {
	file, err := os.OpenFile(home.Path(linksLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the links' lock: %w", err)
	}
	unlock = func() { _ = file.Close() } // nothing was written to it
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		unlock()
		return nil, fmt.Errorf("lock the links: %w", err)
	}
	return unlock, nil
}
