package runner

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// printMetrics prints a table as Lightning's: a row a metric, a column a loader. Numbers are float32 as Python writes them.
func printMetrics(w io.Writer, title string, loaders []map[string]float64) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{title}
	names := map[string]bool{}
	for i, m := range loaders {
		header = append(header, fmt.Sprintf("DataLoader %d", i))
		for name := range m {
			names[plain(name)] = true
		}
	}
	t.AppendHeader(header)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		row := table.Row{name}
		for _, m := range loaders {
			cell := any("")
			for full, v := range m {
				if plain(full) == name {
					cell = expr.Float(v)
				}
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	_, err := fmt.Fprintln(w, t.Render())
	return err
}

// plain is a metric's name without the mark of its loader.
func plain(name string) string {
	name, _, _ = strings.Cut(name, "/dataloader_idx_")
	return name
}
