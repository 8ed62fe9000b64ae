package callback

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/eventfile"
)

// How a log is continued: a checkpoint holds how much was logged, and a run that goes on from it drops what came after.

var (
	_ lighter.LogKeeper = (*csvLogger)(nil)
	_ lighter.LogKeeper = (*tensorBoardLogger)(nil)
)

// Root is the folder that the runs' folders are in.
func (d *loggerDir) Root() string { return d.root }

// Continue takes the folder of an earlier run.
func (d *loggerDir) Continue(folder string) { d.version, d.continued = folder, true }

// The names in a logger's state.
const (
	rowsLogged   = "rows"
	eventsLogged = "events"
)

// LogState is the number of rows.
func (l *csvLogger) LogState() (lighter.Dict, func() error) {
	return lighter.Dict{rowsLogged: l.logged.rows}, l.written()
}

// LoadLogState cuts the file after so many rows.
func (l *csvLogger) LoadLogState(state lighter.Dict, step int64) (err error) {
	t, ok := l.sink.(*csvTable)
	if !ok {
		return nil
	}
	rows, known := state[rowsLogged].(int64)
	keep := func(n int64, _ map[string]string) bool { return n < rows }
	if !known {
		keep = func(_ int64, row map[string]string) bool {
			at, err := strconv.ParseInt(row["step"], 10, 64)
			return err != nil || at < step || row[t.prefix+"epoch"] == "" // a row of validation has a step of its own
		}
	}
	if l.logged.rows, err = t.cut(keep); err != nil {
		return fmt.Errorf("CSVLogger: going on with %s: %w", t.path, err)
	}
	return nil
}

// cut keeps the rows before the first that keep refuses or that is not whole, and the columns that have a value in them: the
// table as it was then. It gives their number.
func (t *csvTable) cut(keep func(n int64, row map[string]string) bool) (rows int64, err error) {
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	old, err := r.Read()
	if err != nil && err != io.EOF {
		return 0, err
	}
	used := map[string]bool{}
	for {
		record, err := r.Read()
		if err != nil {
			break // the end, or a line that a failing disk cut off
		}
		row := make(map[string]string, len(old))
		for i, name := range old {
			row[name] = record[i]
		}
		if !keep(rows, row) {
			break
		}
		rows++
		for name, cell := range row {
			used[name] = used[name] || cell != ""
		}
	}
	if rows == 0 {
		return 0, os.Remove(t.path)
	}
	var columns []string
	for _, name := range old {
		if used[name] {
			columns = append(columns, name)
		}
	}
	t.columns = columns
	t.begun = true
	return rows, atomicfile.Write(t.path, func(w io.Writer) error {
		c := newCSV(w)
		if err := c.Write(columns); err != nil {
			return err
		}
		if err := t.copyRows(c, old, rows); err != nil {
			return err
		}
		c.Flush()
		return c.Error()
	})
}

func (t *csvTable) sync() error {
	if !t.begun {
		return nil
	}
	return atomicfile.Sync(t.path)
}

// LogState is the number of events.
func (l *tensorBoardLogger) LogState() (lighter.Dict, func() error) {
	n := l.logged.scalars + l.first
	if n > 0 && l.first == 0 {
		n++ // the version's
	}
	return lighter.Dict{eventsLogged: n}, l.written()
}

// LoadLogState cuts the newest file of the folder after so many events and goes on with it.
func (l *tensorBoardLogger) LoadLogState(state lighter.Dict, _ int64) error {
	n, known := state[eventsLogged].(int64)
	if !known || l.file == nil {
		return nil
	}
	file, kept, err := eventfile.Continue(l.events(), n)
	if err != nil {
		return fmt.Errorf("TensorBoardLogger: going on in %s: %w", l.events(), err)
	}
	l.file, l.first = file, kept
	l.sink = &eventSink{file: file, prefix: namePrefix(l.args.Prefix)}
	return nil
}

func (s *eventSink) sync() error {
	if s.file.Path() == "" {
		return nil
	}
	return atomicfile.Sync(s.file.Path())
}
