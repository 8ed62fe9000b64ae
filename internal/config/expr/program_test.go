package expr

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// What a program prints in Python, it prints here.
func TestPrograms(t *testing.T) {
	text, err := os.ReadFile("testdata/programs.json")
	if err != nil {
		t.Fatal(err)
	}
	var programs [][2]string
	if err := json.Unmarshal(text, &programs); err != nil {
		t.Fatal(err)
	}
	if len(programs) < 200 {
		t.Fatalf("only %d programs", len(programs))
	}
	for _, p := range programs {
		out, _, err := runFile(t, Options{}, p[0])
		var raised *Raised
		if errors.As(err, &raised) {
			out += raised.Error() + "\n"
		} else if err != nil {
			t.Errorf("%s\n%v", p[0], err)
			continue
		}
		if out != p[1] {
			t.Errorf("%s\nprints\n%s\nin Python\n%s", p[0], out, p[1])
		}
	}
}
