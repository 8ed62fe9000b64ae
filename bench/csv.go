package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// csvRow reads a table from its text to tensors, beside pandas and torch.
func csvRow(dir, lighter, torch string, command func(binary string, short, long int, args ...string) *program) *row {
	csv := "" // the data set alone, a program of its own
	if lighter != "" {
		csv = filepath.Join(filepath.Dir(lighter), "csv")
	}
	path := filepath.Join(dir, "table.csv")
	return &row{name: "CSV to tensors, 100,000 x 10", unit: "ms", scale: 1e3, stepsPerEpoch: 1, threads: 2, leastOfEager: 3, programs: [sides]*program{
		command(csv, 1, 21, path, "%d"), nil, command(torch, 1, 11, "table.py", path, "%d"), nil}}
}

// makeTable writes a table of 100,000 rows of ten numbers, with all the digits that a float64 has.
func makeTable(dir string) error {
	f, err := os.Create(filepath.Join(dir, "table.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 2))
	fmt.Fprintln(w, "a,b,c,d,e,f,g,h,i,j")
	for range 100_000 {
		for k := range 10 {
			if k > 0 {
				w.WriteByte(',')
			}
			fmt.Fprint(w, r.NormFloat64())
		}
		w.WriteByte('\n')
	}
	return w.Flush()
}
