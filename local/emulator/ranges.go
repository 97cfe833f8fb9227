package emulator

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// oneRange is the only form of Range that is honoured. Several ranges at once could make the answer many times as long as the body, so
// they get the whole of it, which RFC 9110 section 14.2 leaves to the server.
var oneRange = regexp.MustCompile(`^bytes=([0-9]{1,12}-[0-9]{0,12}|-[0-9]{1,12})$`)

// cut answers with the part of a body that Range asks for; false when the whole is due. The validator is If-Range's.
func cut(ctx *fasthttp.RequestCtx, body []byte, etag string) bool {
	header := &ctx.Request.Header
	wanted := header.Peek("Range")
	if len(wanted) == 0 || !ctx.IsGet() || !oneRange.Match(wanted) {
		return false
	}
	// A weak tag, or a date, does not prove that the rest of the browser's copy is of the same bytes.
	if validator := string(header.Peek("If-Range")); validator != "" && (validator != etag || strings.HasPrefix(etag, "W/")) {
		return false
	}
	first, last, err := fasthttp.ParseByteRange(wanted, len(body))
	total := strconv.Itoa(len(body))
	if err != nil {
		ctx.Response.Header.Set("Content-Range", "bytes */"+total)
		ctx.SetStatusCode(http.StatusRequestedRangeNotSatisfiable)
		return true
	}
	ctx.Response.Header.Set("Content-Range", "bytes "+strconv.Itoa(first)+"-"+strconv.Itoa(last)+"/"+total)
	ctx.SetStatusCode(http.StatusPartialContent)
	ctx.Response.SetBodyRaw(body[first : last+1])
	return true
}
