package columnar

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// every wants all columns as one kind.
func every(k Kind) Want {
	return func(_ []string, width int) ([]Kind, error) {
		return slices.Repeat([]Kind{k}, width), nil
	}
}

// Every number comes out as strconv has it, to the bit.
func TestDecimalIsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(s string) {
		v, end, whole, ok := decimal([]byte(s+","), 0)
		if !ok {
			return
		}
		want, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Float64bits(v) != math.Float64bits(want) || end != len(s) || whole != !strings.ContainsAny(s, ".e") {
			t.Fatalf("%s: %v to %d, whole %v, want %v %v", s, v, end, whole, want, err)
		}
	}
	for range 300_000 {
		x := math.Float64frombits(r.Uint64())
		check(strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64))
		check(strconv.FormatFloat(r.NormFloat64()*1e3, 'f', r.IntN(19), 64))
		check(strconv.FormatFloat(x, 'g', 1+r.IntN(18), 64))
		check(fmt.Sprintf("%d.%d", r.Int64N(1e9), r.Int64N(1e10)))
		check(fmt.Sprintf("-%d.%de%d", r.Int64N(1e4), r.Int64N(1e6), r.IntN(50)-25))
		// Between two floats, and next to that.
		f := math.Abs(r.NormFloat64()) + 1
		half := uint64(math.Ldexp(f, 52)) | 1
		check(fmt.Sprintf("%d.5", half%(1<<53)))
		check(strconv.FormatUint(half<<1|1, 10) + ".0")
		check(strconv.FormatUint(half<<1|1, 10) + ".01")
	}
}

// A text in many parts reads as in one: rows, numbers, texts and the first fault.
func TestPartsReadAsOne(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("n,\"t\"\"x\"\r\n")
	const rows = 60_000
	for i := range rows {
		if i%7 == 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "%d,\"a \"\"%d\"\"\n, b\"\r\n", i, i%100)
	}
	kinds := func([]string, int) ([]Kind, error) { return []Kind{Number, Text}, nil }
	table, err := CSV{Delimiter: ","}.parse("x.csv", b.Bytes(), kinds)
	if err != nil {
		t.Fatal(err)
	}
	if table.Rows != rows || table.Columns[1].Name != `t"x` || len(table.Columns[1].Texts) != 100 || !table.Columns[0].Whole {
		t.Fatalf("%d rows of %q with %d texts", table.Rows, table.Names(), len(table.Columns[1].Texts))
	}
	for i := range rows {
		if got := table.Columns[1].Texts[table.Columns[1].Codes[i]]; table.Columns[0].Numbers[i] != float64(i) || got != fmt.Sprintf("a \"%d\"\n, b", i%100) {
			t.Fatalf("row %d is %v, %q", i, table.Columns[0].Numbers[i], got)
		}
	}
	wrong := strings.Replace(b.String(), "\n59000,", "\nq,", 1)
	at := strings.Index(wrong, "\nq,") + 1
	_, err = CSV{Delimiter: ","}.parse("x.csv", []byte(wrong), kinds)
	if want := fmt.Sprintf(`x.csv:%d:1: "q" is no number, in row 59000 of column "n"`, 1+strings.Count(wrong[:at], "\n")); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got, want := table.Place(40_000, 1), fmt.Sprintf("x.csv:%d:7", 1+strings.Count(b.String()[:strings.Index(b.String(), "\n40000,")+1], "\n")); got != want {
		t.Errorf("the place of a cell is %s, want %s", got, want)
	}
}

// Whatever the text, it reads as encoding/csv reads it, or both find a fault; nothing is allocated for what is not there.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n3,4\n", ",")
	f.Add("\"a\"\"\";b\n1;,\n\n;4e5", ";")
	f.Add("\xef\xbb\xbf\t\n\r\n", "\t")
	f.Add("1,2\r\n\"x\ny\",\"\"\r", ",")
	f.Fuzz(func(t *testing.T, data, comma string) {
		if !Delimits(comma) {
			return
		}
		no := false
		table, err := CSV{comma, &no}.parse("x.csv", []byte(data), every(Text))
		_, _ = CSV{comma, nil}.parse("x.csv", []byte(data), every(Number))
		if _, other := textOf("", []byte(data)); other != nil {
			return
		}
		in := csv.NewReader(strings.NewReader(strings.TrimPrefix(data, "\xef\xbb\xbf")))
		in.Comma = []rune(comma)[0]
		want, wantErr := in.ReadAll()
		if (err != nil) != (wantErr != nil) {
			if errors.Is(wantErr, io.EOF) || strings.Contains(data, "\r") { // a return within a line is a cell's to us
				return
			}
			t.Fatalf("%q: %v, encoding/csv: %v", data, err, wantErr)
		}
		if err != nil || strings.Contains(data, "\r") {
			return
		}
		if table.Rows != len(want) {
			t.Fatalf("%q: %d rows, encoding/csv has %d", data, table.Rows, len(want))
		}
		for i, row := range want {
			for k, cell := range row {
				c := table.Columns[k]
				got := ""
				if c.Codes[i] >= 0 {
					got = c.Texts[c.Codes[i]]
				}
				if got != cell {
					t.Fatalf("%q: row %d, cell %d is %q, encoding/csv has %q", data, i, k, got, cell)
				}
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	text.WriteString("a,b,c,d,e,f,g,h,i,j\n")
	for range 200_000 {
		for k := range 10 {
			if k > 0 {
				text.WriteByte(',')
			}
			text.WriteString(strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64))
		}
		text.WriteByte('\n')
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := (CSV{Delimiter: ","}).parse("x.csv", text.Bytes(), every(Number)); err != nil {
			b.Fatal(err)
		}
	}
}
