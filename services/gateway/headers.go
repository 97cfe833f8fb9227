package gateway

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
)

// neverForwarded are headers that a service must not hear from a caller: proofs that are ours, the hop-by-hop headers of RFC 9110,
// and the various ways to claim another address, host, path or method. Services need no shopper's address, so none is sent on.
var neverForwarded = nameSet(
	contract.HeaderInternal, contract.HeaderForwardedBy, contract.HeaderEdgeAuth, contract.HeaderRegion, "X-Edge-Location",
	"Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-Ip",
	"True-Client-Ip", "X-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
)

var (
	// credentials are taken off requests on anonymous routes.
	credentials = nameSet(fiber.HeaderAuthorization, fiber.HeaderCookie, contract.HeaderCartID)
	// place is where the shopper is, as only the edge may tell.
	place = nameSet(headerCountry, headerLatitude, headerLongitude)
)

const cloudflarePrefix = "Cf-"

// nameSet maps canonical header names to themselves, so that a look-up by bytes gives a string that needs no new memory.
func nameSet(names ...string) map[string]string {
	set := make(map[string]string, len(names))
	for _, name := range names {
		set[name] = name
	}
	return set
}

// cleanRequest takes off, in one pass, what the service behind a route must not hear. keepPlace leaves the shopper's place.
func cleanRequest(header *fasthttp.RequestHeader, anonymous, keepPlace bool) {
	dropNamedByConnection(header)
	var found [16]string
	drop := found[:0]
	for name := range header.All() {
		if known, ok := neverForwarded[string(name)]; ok {
			drop = append(drop, known)
		} else if known, ok := credentials[string(name)]; ok && anonymous {
			drop = append(drop, known)
		} else if bytes.HasPrefix(name, []byte(cloudflarePrefix)) {
			if _, isPlace := place[string(name)]; !isPlace || !keepPlace {
				drop = append(drop, string(name))
			}
		}
	}
	for _, name := range drop {
		header.Del(name)
	}
}

// dropNamedByConnection takes off Connection and the headers that it names as being for this hop alone.
func dropNamedByConnection(header *fasthttp.RequestHeader) {
	if named := header.Peek(fiber.HeaderConnection); len(named) > 0 {
		for name := range strings.SplitSeq(string(named), ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	header.Del(fiber.HeaderConnection)
	header.ResetConnectionClose()
}

// cleanResponse takes off what was meant for the gateway's own connection to the service.
func cleanResponse(header *fasthttp.ResponseHeader) {
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Trailer", "Upgrade", "Server"} {
		header.Del(name)
	}
	header.ResetConnectionClose()
}
