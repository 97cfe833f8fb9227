package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/secret"
)

// Headers by which the edge says where a shopper is (Cloudflare's names).
const (
	headerCountry   = "Cf-Ipcountry"
	headerLatitude  = "Cf-Iplatitude"
	headerLongitude = "Cf-Iplongitude"
)

// callers tells who a request comes from.
type callers struct {
	// edge proves the edge; unset trusts no edge.
	edge secret.Secret
	// internal proves a gateway of another region. As a key it makes addresses and cart ids, which are personal data, unreadable in Redis.
	internal secret.Secret
}

// fromEdge says whether a request came through the edge, whose word on the shopper's address and place is then believed.
func (w callers) fromEdge(c *fiber.Ctx) bool {
	return w.edge.Matches(string(c.Request().Header.Peek(contract.HeaderEdgeAuth)))
}

// fromPeer says whether another region's gateway forwarded a request to us, as the home of its cart or order. That gateway has judged
// who asks and how often, and its word on the shopper's place is believed.
func (w callers) fromPeer(c *fiber.Ctx) bool {
	header := &c.Request().Header
	if len(header.Peek(contract.HeaderForwardedBy)) == 0 {
		return false
	}
	return w.internal.Matches(string(header.Peek(contract.HeaderInternal)))
}

// country is where the edge says that a request comes from, "" when it does not say.
func (w callers) country(c *fiber.Ctx, fromEdge bool) string {
	if !fromEdge {
		return ""
	}
	return c.Get(headerCountry)
}

// client is the network that a request comes from: the last hop that the edge saw, or the connection's other end.
func (w callers) client(c *fiber.Ctx, fromEdge bool) netip.Prefix {
	if fromEdge {
		hops := string(c.Request().Header.Peek(fiber.HeaderXForwardedFor))
		if address, err := netip.ParseAddr(strings.TrimSpace(hops[strings.LastIndexByte(hops, ',')+1:])); err == nil {
			return network(address)
		}
	}
	address, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return netip.Prefix{}
	}
	return network(address)
}

// network is an IPv4 address, or the /64 that one household or phone has in IPv6.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	// WithZone drops the zone, with which no prefix can be made; both widths then fit their address.
	return netip.PrefixFrom(address.WithZone(""), bits).Masked()
}

// cart is the public half of the cart that a request names, "" when it names none.
func (w callers) cart(c *fiber.Ctx) string {
	named := c.Get(contract.HeaderCartID)
	if named == "" {
		named = c.Cookies(contract.CookieCart)
	}
	id, _, _ := strings.Cut(named, ".")
	return id
}

// key is what a limit counts under: a keyed hash, the same in every gateway of a region.
func (w callers) key(by LimitBy, identity string) string {
	mac := hmac.New(sha256.New, []byte(w.internal.Current()))
	mac.Write([]byte(by))
	mac.Write([]byte{0})
	mac.Write([]byte(identity))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// identity is the key of a request under a limit. A request that names no cart is counted with its client's.
func (w callers) identity(c *fiber.Ctx, by LimitBy, fromEdge bool) string {
	if by == ByCart {
		if cart := w.cart(c); cart != "" {
			return w.key(ByCart, cart)
		}
	}
	return w.key(ByClient, w.client(c, fromEdge).String())
}
