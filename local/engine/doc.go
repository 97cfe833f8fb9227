// Package engine finds the programs of a local region's engines. Each engine has a
// package below this one, which says how to configure, start and probe it as a child
// process: postgres, redis, consul, broker and search.
//
// An engine's program is taken from the machine, and where the machine has none, from
// the folder into which install.sh (`make engines`) puts what is missing.
package engine
