package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const defaultSpoolBytes = 64 << 20

// spool sorts more than fits in memory: records by key, kept in sorted runs in files once there are many.
type spool struct {
	folder string
	limit  int

	records []spooled
	bytes   int
	runs    []*os.File
}

// spooled is one record.
type spooled struct {
	key  string
	body []byte
}

func newSpool(folder string, limit int) *spool {
	return &spool{folder: folder, limit: cmp.Or(limit, defaultSpoolBytes)}
}

// overhead is about what a record takes beside its bytes.
const overhead = 64

func (s *spool) add(key string, body []byte) error {
	s.records = append(s.records, spooled{key, body})
	s.bytes += len(key) + len(body) + overhead
	if s.bytes < s.limit {
		return nil
	}
	return s.flush()
}

// inOrder sorts by key and, so that two audits of the same books say the same, by body.
func inOrder(a, b spooled) int {
	return cmp.Or(cmp.Compare(a.key, b.key), bytes.Compare(a.body, b.body))
}

// flush writes a run. Its file has no name any more while it is read, so that nothing is left behind whatever happens.
func (s *spool) flush() (err error) {
	slices.SortFunc(s.records, inOrder)
	file, err := os.CreateTemp(s.folder, "meridian-audit-*")
	if err != nil {
		return fmt.Errorf("make a spool file: %w", err)
	}
	s.runs = append(s.runs, file)
	if err := os.Remove(file.Name()); err != nil {
		return fmt.Errorf("unlink a spool file: %w", err)
	}
	out := bufio.NewWriter(file)
	for _, record := range s.records {
		for _, part := range [][]byte{[]byte(record.key), record.body} {
			if _, err := out.Write(append(binary.AppendUvarint(nil, uint64(len(part))), part...)); err != nil {
				return fmt.Errorf("write a spool file: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write a spool file: %w", err)
	}
	s.records, s.bytes = nil, 0
	return nil
}

// each gives all records, sorted by key.
func (s *spool) each(visit func(key string, body []byte) error) error {
	slices.SortFunc(s.records, inOrder)
	var heads runHeap
	memory := &run{next: func() (spooled, error) {
		if len(s.records) == 0 {
			return spooled{}, io.EOF
		}
		record := s.records[0]
		s.records = s.records[1:]
		return record, nil
	}}
	for _, r := range append(s.open(), memory) {
		if more, err := r.advance(); err != nil {
			return err
		} else if more {
			heads = append(heads, r)
		}
	}
	heap.Init(&heads)
	for len(heads) > 0 {
		first := heads[0]
		if err := visit(first.head.key, first.head.body); err != nil {
			return err
		}
		more, err := first.advance()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(&heads, 0)
		} else {
			heap.Pop(&heads)
		}
	}
	return nil
}

func (s *spool) open() []*run {
	var runs []*run
	for _, file := range s.runs {
		var in *bufio.Reader
		runs = append(runs, &run{next: func() (spooled, error) {
			if in == nil {
				if _, err := file.Seek(0, io.SeekStart); err != nil {
					return spooled{}, err
				}
				in = bufio.NewReader(file)
			}
			return readSpooled(in)
		}})
	}
	return runs
}

func readSpooled(in *bufio.Reader) (spooled, error) {
	var parts [2][]byte
	for i := range parts {
		length, err := binary.ReadUvarint(in)
		if err != nil {
			return spooled{}, err
		}
		parts[i] = make([]byte, length)
		if _, err := io.ReadFull(in, parts[i]); err != nil {
			return spooled{}, errors.Join(io.ErrUnexpectedEOF, err)
		}
	}
	return spooled{string(parts[0]), parts[1]}, nil
}

func (s *spool) close() error {
	var errs []error
	for _, file := range s.runs {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// run is a sorted run and its first record that has not been given yet.
type run struct {
	next func() (spooled, error)
	head spooled
}

// advance moves to the next record; false at the end.
func (r *run) advance() (bool, error) {
	head, err := r.next()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read a spool file: %w", err)
	}
	r.head = head
	return true, nil
}

// runHeap has the run with the smallest head first.
type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return inOrder(h[i].head, h[j].head) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are heap.Interface's.
func (h *runHeap) Push(r any) { *h = append(*h, r.(*run)) }

// Pop takes the last run off.
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
