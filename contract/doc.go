// Package contract is the only thing that services share: the shapes that cross a service boundary, the events they
// publish, and the names of topics, headers and errors. It is a leaf: it imports geo and no other part of Meridian.
//
// A shape here is a promise to every other service. Add fields freely; never rename or re-use one.
package contract
