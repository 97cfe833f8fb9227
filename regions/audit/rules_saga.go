package audit

import (
	"fmt"
	"net/http"

	"github.com/meridian-store/meridian/contract"
)

// The states of a saga, as the order service keeps them.
const (
	sagaRunning   = "running"
	sagaConfirmed = "confirmed"
	sagaFailed    = "failed"
)

// stuckAfterSeconds is how long after its time a saga may take to give back what it took: several attempts at a provider that takes
// its whole time each.
const stuckAfterSeconds = 60

func (s sagaRow) stuck() bool { return s.State == sagaRunning && s.OverdueSeconds > stuckAfterSeconds }

// sagaRules judge sagas against their orders.
func sagaRules() []rule {
	return []rule{
		{Check{"saga_stuck", "A saga ends within its time limits."}, sagaStuck},
		{Check{"saga_without_order", "A saga has its order."}, sagaWithoutOrder},
		{Check{"saga_not_its_order", "A saga and its order end in the same way."}, sagaNotItsOrder},
		{Check{"order_left_pending", "An order is pending only while its saga runs."}, orderLeftPending},
		{Check{"token_kept", "A saga that has ended holds no payment token."}, tokenKept},
		{Check{"answer_not_order", "The answer kept for repeats of a checkout says what became of its order."}, answerNotOrder},
	}
}

func sagaStuck(c *chain) []broken {
	for _, saga := range c.Sagas {
		if saga.stuck() {
			return breach("A saga runs long past its time.", saga.OrderID)
		}
	}
	return nil
}

func sagaWithoutOrder(c *chain) []broken {
	if saga, found := one(c.Sagas); found && len(c.Orders) == 0 {
		return breach(fmt.Sprintf("A saga is %s, but its order %s is gone.", saga.State, saga.OrderID), saga.OrderID)
	}
	return nil
}

func sagaNotItsOrder(c *chain) []broken {
	saga, found := one(c.Sagas)
	order, has := c.order()
	if !found || !has || saga.State == sagaRunning && order.Status == contract.OrderStatusPending {
		return nil
	}
	want := sagaFailed
	if order.sold() {
		want = sagaConfirmed
	}
	if saga.State == want || order.Status == contract.OrderStatusPending { // the latter is another check's
		return nil
	}
	return breach(fmt.Sprintf("Order %s is %s, but its saga is %s.", order.ID, order.Status, saga.State), order.ID)
}

func orderLeftPending(c *chain) []broken {
	order, found := c.order()
	if saga, running := one(c.Sagas); !found || order.Status != contract.OrderStatusPending || running && saga.State == sagaRunning {
		return nil
	}
	return breach(fmt.Sprintf("Order %s is pending, but no saga goes on with it.", order.ID), order.ID)
}

func tokenKept(c *chain) []broken {
	if saga, found := one(c.Sagas); found && saga.State != sagaRunning && saga.HasToken {
		return breach("A saga has ended and holds its payment token still.", saga.OrderID)
	}
	return nil
}

// answerNotOrder looks at what is kept for repeats; 0 is nothing yet, or nothing any more.
func answerNotOrder(c *chain) []broken {
	order, found := c.order()
	if !found || order.AnswerStatus == 0 {
		return nil
	}
	acknowledged := order.AnswerStatus == http.StatusCreated
	if acknowledged == order.sold() && (acknowledged || order.AnswerStatus >= http.StatusBadRequest && order.AnswerStatus < http.StatusInternalServerError) {
		return nil
	}
	return breach(fmt.Sprintf("Order %s is %s, but its checkout is answered with %d.", order.ID, order.Status, order.AnswerStatus), order.ID)
}
