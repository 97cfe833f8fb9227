//go:build !race

package order_test

// pace divides the numbers of what is done thousands of times, where each takes longer.
const pace = 1
