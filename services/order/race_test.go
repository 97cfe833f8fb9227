//go:build race

package order_test

// pace divides the numbers of what is done thousands of times: the race detector takes about ten times as long for each.
const pace = 10
