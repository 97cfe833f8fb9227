package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// bodyLimit is many times the largest request of the subset.
	bodyLimit = 64 << 10
	keyLimit  = 255
	// keyLife is how long Stripe remembers an idempotency key.
	keyLife = 24 * time.Hour
)

func (s *Server) routes() {
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s.mux.HandleFunc("POST /v1/payment_intents", s.changing(s.createIntent, "amount", "currency", "capture_method", "payment_method_types", "metadata"))
	s.mux.HandleFunc("GET /v1/payment_intents", s.reading(s.listIntents, "limit", "starting_after", "created"))
	s.mux.HandleFunc("GET /v1/payment_intents/{id}", s.reading(s.getIntent))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/confirm", s.changing(s.confirmIntent, "payment_method", "payment_method_data", "confirmation_token", "error_on_requires_action"))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/capture", s.changing(s.captureIntent, "amount_to_capture"))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/cancel", s.changing(s.cancelIntent, "cancellation_reason"))
	s.mux.HandleFunc("POST /v1/refunds", s.changing(s.createRefund, "payment_intent", "amount", "metadata"))
	s.mux.HandleFunc("GET /v1/refunds", s.reading(s.listRefunds, "limit", "starting_after", "created", "payment_intent"))
	s.mux.HandleFunc("GET /v1/refunds/{id}", s.reading(s.getRefund))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p := invalid("", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)
		p.status = http.StatusNotFound
		s.refuse(w, p)
	})
}

// request is one call after its form was read.
type request struct {
	id   string
	form url.Values
	key  string
	// hash tells one request from another that uses the same key.
	hash string
}

// outcome is what an operation comes to within the ledger: an object, or a problem.
type outcome struct {
	object  any
	problem *problem
	// silent leaves the first caller without an answer.
	silent bool
}

// operation is checked before it runs; run may be called more than once, each time on a ledger that holds nothing of the last.
type operation struct {
	run func(books books) (outcome, error)
	// locks is an intent that nobody else may change meanwhile, and delay how long the operation takes before it changes anything.
	locks string
	delay time.Duration
}

// kept is what an idempotency key remembers.
type kept struct {
	Hash   string          `json:"hash"`
	At     int64           `json:"at"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

func (s *Server) reading(do func(request) (outcome, error), allowed ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, refused := s.admit(w, r, allowed)
		if refused != nil {
			s.refuse(w, refused)
			return
		}
		done, err := do(call)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, done.status(), done.body())
	}
}

// changing runs an operation once for each idempotency key.
func (s *Server) changing(prepare func(request) (operation, *problem), allowed ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, refused := s.admit(w, r, allowed)
		if refused != nil {
			s.refuse(w, refused)
			return
		}
		if call.key != "" {
			release, free := s.claim("key " + call.key)
			if !free {
				s.refuse(w, keyInUse())
				return
			}
			defer release()
			first, found, err := s.remembered(call)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			if found {
				s.replay(w, call, first)
				return
			}
		}
		work, refused := prepare(call)
		if refused != nil {
			s.refuse(w, refused)
			return
		}
		s.carryOut(w, r, call, work)
	}
}

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, call request, work operation) {
	if work.delay > 0 {
		release, free := s.claim("intent " + work.locks)
		if !free {
			s.refuse(w, locked())
			return
		}
		defer release()
		// What was begun goes on when the caller hangs up, as it does at Stripe.
		if err := s.config.Wait(s.closing, work.delay); err != nil {
			s.fail(w, r, err)
			return
		}
	} else if work.locks != "" && s.isBusy("intent "+work.locks) {
		s.refuse(w, locked())
		return
	}
	var done outcome
	err := s.ledger.change(func(books books) error {
		var err error
		if done, err = work.run(books); err != nil || call.key == "" {
			return err
		}
		return books.put(bucketKeys, call.key, kept{call.hash, s.config.Now().Unix(), done.status(), done.body()})
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.sender.wake()
	if done.silent {
		select {
		case <-r.Context().Done():
		case <-s.closing.Done():
		}
		return
	}
	s.answer(w, done.status(), done.body())
}

func (s *Server) remembered(call request) (kept, bool, error) {
	var first kept
	var found bool
	err := s.ledger.read(func(books books) error {
		var err error
		found, err = books.get(bucketKeys, call.key, &first)
		return err
	})
	return first, found && s.config.Now().Unix()-first.At < int64(keyLife/time.Second), err
}

func (s *Server) replay(w http.ResponseWriter, call request, first kept) {
	if first.Hash != call.hash {
		s.refuse(w, keyReused())
		return
	}
	w.Header().Set("Idempotent-Replayed", "true")
	s.answer(w, first.Status, first.Body)
}

// admit checks who asks, and reads the form.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, allowed []string) (request, *problem) {
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.config.SecretKey)) != 1 {
		p := invalid("", "", "Invalid API Key provided.")
		p.status = http.StatusUnauthorized
		return request{}, p
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	if err := r.ParseForm(); err != nil {
		return request{}, invalid("", "", "The request's form could not be read.")
	}
	for name := range r.Form {
		first, _, _ := strings.Cut(name, "[")
		if first != "expand" && !slices.Contains(allowed, first) {
			return request{}, invalid("parameter_unknown", name, "Received unknown parameter: %s", name)
		}
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > keyLimit {
		return request{}, invalid("", "", "Idempotency keys are at most %d characters long.", keyLimit)
	}
	sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + r.Form.Encode()))
	return request{id: r.PathValue("id"), form: r.Form, key: key, hash: hex.EncodeToString(sum[:])}, nil
}

func (o outcome) status() int {
	if o.problem != nil {
		return o.problem.status
	}
	return http.StatusOK
}

func (o outcome) body() []byte {
	shown := o.object
	if o.problem != nil {
		shown = map[string]any{"error": o.problem}
	}
	data, err := json.Marshal(shown)
	if err != nil {
		panic(err) // only a type above that JSON can not write could cause it
	}
	return data
}

func (s *Server) refuse(w http.ResponseWriter, p *problem) {
	refused := outcome{problem: p}
	s.answer(w, refused.status(), refused.body())
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, s.closing.Err()) {
		s.config.Log.ErrorContext(r.Context(), "The payment sandbox could not answer.", "path", r.URL.Path, "error", err.Error())
	}
	p := &problem{Type: typeAPI, Message: "An error occurred.", status: http.StatusInternalServerError}
	s.refuse(w, p)
}

func (s *Server) answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller who hung up reads nothing; what was decided stands all the same.
	_, _ = w.Write(body)
}
