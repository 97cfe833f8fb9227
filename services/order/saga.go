package order

import (
	"time"

	"github.com/meridian-store/meridian/contract"
)

// A saga is running until it ends as confirmed or failed. It goes forward until its direction is turned, once and for good; the
// turn is committed before anything is given back, so that whoever takes the saga on never sells what another gives back.
const (
	stateRunning   = "running"
	stateConfirmed = "confirmed"
	stateFailed    = "failed"

	forward    = "forward"
	compensate = "compensate"
)

// Step is one thing that a saga does.
type Step string

// The steps. Forward: open, reserve, charge, confirm. Compensating: turn, void, release, fail. Reserve, charge, void and release
// belong to other services and are repeated freely, by the saga's id; release and void leave tombstones there that refuse a
// reserve or a charge which comes late. The others are transactions here.
const (
	StepOpen    Step = "open"
	StepReserve Step = "reserve"
	StepCharge  Step = "charge"
	StepConfirm Step = "confirm"
	StepTurn    Step = "turn"
	StepVoid    Step = "void"
	StepRelease Step = "release"
	StepFail    Step = "fail"
	// StepTakeOver is written when another holder goes on.
	StepTakeOver Step = "take_over"
)

// Boundary is a moment beside a step at which a process may die: "charge.before", "charge.after".
type Boundary string

// Crossing is a saga at a boundary.
type Crossing struct {
	Boundary                Boundary
	SagaID, OrderID, CartID string
	// Epoch is 1 for the holder who opened the saga, and rises with each that takes it over.
	Epoch int64
	// Region is that of the process which holds it.
	Region string
}

// Before names the moment at which a step is decided and nothing of it has happened yet.
func Before(step Step) Boundary { return Boundary(step) + ".before" }

// After names the moment at which a step has had its effect and nothing else has happened yet.
func After(step Step) Boundary { return Boundary(step) + ".after" }

// Boundaries lists every moment at which a saga may be cut, for drills and tests.
func Boundaries() []Boundary {
	var all []Boundary
	for _, step := range []Step{StepOpen, StepReserve, StepCharge, StepConfirm, StepTurn, StepVoid, StepRelease, StepFail} {
		all = append(all, Before(step), After(step))
	}
	return all
}

// Outcomes of steps, as an order's history shows them.
const (
	outcomeOpened       = "opened"
	outcomeTakenOver    = "taken_over"
	outcomeReserved     = "reserved"
	outcomeCharged      = "charged"
	outcomeConfirmed    = "confirmed"
	outcomeCompensating = "compensating"
	outcomeVoided       = "voided"
	outcomeReleased     = "released"
	outcomeFailed       = "failed"
)

// saga is a checkout under way, as its holder knows it.
type saga struct {
	id, home, cartID, orderID string
	key                       string
	requestHash               []byte
	direction                 string
	epoch                     int64
	token                     string
	// left is the time that remains to sell, at the moment of the claim.
	left time.Duration
}

// takenOver says whether someone else held the saga before, so that nobody knows what was tried.
func (s saga) takenOver() bool { return s.epoch > 1 }

// entry is one line of a saga's log.
type entry struct {
	step    Step
	outcome string
	at      time.Time
}

// answer is what a checkout is answered with, kept byte for byte for its repeats.
type answer struct {
	status int
	body   []byte
}

// verdict is why a saga can not be sold.
type verdict struct {
	reason string
	// problem is what the shopper is told.
	problem error
}

func outOfStock(refusal error) verdict {
	return verdict{reason: contract.ReasonOutOfStock, problem: refusal}
}

func declined(reason string) verdict {
	problem := contract.Errorf(contract.CodeDeclined, "the payment was declined; nothing is charged; try another means of payment with another %s", contract.HeaderIdempotencyKey)
	if reason != "" {
		problem = problem.With("reason", reason)
	}
	return verdict{reason: contract.ReasonDeclined, problem: problem}
}

func lapsed() verdict {
	return verdict{reason: contract.ReasonLapsed, problem: contract.Errorf(contract.CodeConflict,
		"the order could not be completed in time; nothing is charged; check out again with another %s", contract.HeaderIdempotencyKey)}
}

func refused() verdict {
	return verdict{reason: contract.ReasonRefused, problem: contract.Errorf(contract.CodeConflict,
		"the order could not be completed; nothing is charged; look at the cart and check out again with another %s", contract.HeaderIdempotencyKey)}
}

// judge says what a payment, as its owner tells it, means for the saga: settled is false while nobody knows.
func judge(payment contract.Payment, s saga, order placed) (captured bool, end *verdict, settled bool) {
	switch payment.State {
	case contract.PaymentStateCaptured:
		if payment.SagaID != s.id || payment.OrderID != order.ID || payment.Amount != order.Total {
			v := refused() // what was charged is not what was shown: it is given back
			return false, &v, true
		}
		return true, nil, true
	case contract.PaymentStateDeclined:
		v := declined(payment.Reason)
		return false, &v, true
	case contract.PaymentStateVoided:
		v := lapsed()
		return false, &v, true
	default:
		return false, nil, false
	}
}

// passing says whether an error may be gone at the next attempt.
func passing(err error) bool {
	switch contract.CodeOf(err) {
	case contract.CodeUnavailable, contract.CodeInternal, contract.CodeTooMany, contract.CodeInProgress:
		return true
	default:
		return false
	}
}
