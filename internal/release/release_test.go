package release

import (
	"runtime/debug"
	"testing"
)

// TestVersions: the release is the linker's, else the module's, else the commit.
func TestVersions(t *testing.T) {
	deps := []*debug.Module{{Path: "github.com/spf13/cobra", Version: "v1.10.2"}, {Path: gotchPath, Version: "v0.9.1"}}
	own := debug.Module{Path: modulePath, Version: "v1.4.0"}
	built := debug.BuildInfo{
		Main: debug.Module{Path: modulePath, Version: "(devel)"}, Deps: deps,
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}},
	}
	for _, c := range []struct {
		name, linked string
		info         *debug.BuildInfo
		want         string
	}{
		{"make build", "v1.5.0-2-gabc", &built, "v1.5.0-2-gabc"},
		{"go build", "", &built, "devel 0123456789ab"},
		{"go install", "", &debug.BuildInfo{Main: own, Deps: deps}, "v1.4.0"},
		{"a program of a user's", "", &debug.BuildInfo{Main: debug.Module{Path: "example.com/me", Version: "v9.0.0"}, Deps: append(deps, &own)}, "v1.4.0"},
	} {
		version = c.linked
		if own, gotch := versions(c.info, true); own != c.want || gotch != "v0.9.1" {
			t.Errorf("%s: %s and gotch %s, want %s and v0.9.1", c.name, own, gotch, c.want)
		}
	}
	version = ""
}
