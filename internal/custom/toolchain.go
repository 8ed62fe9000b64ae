package custom

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// findToolchain finds Go, a C++ compiler and libtorch, or says what is missing, and sets the go command's environment.
func (b *build) findToolchain() error {
	if _, err := exec.LookPath("bash"); err != nil {
		return errors.New("bash is missing, which finds the compilers: install it")
	}
	if _, err := b.script(b.source.dir, "tools.sh"); err != nil {
		return err
	}
	settings, err := b.findSettings()
	if err != nil {
		return err
	}
	text, err := goOutput(b.ctx, nil, "env", "GOFLAGS", "GOROOT")
	if err != nil {
		return err
	}
	given, root, _ := strings.Cut(text, "\n")
	b.space.goRoot = strings.TrimSpace(root)
	b.env = append(os.Environ(), "GO111MODULE=on", "GOFLAGS="+goFlags(strings.TrimSpace(given)))
	for name, value := range settings {
		if name != "GOFLAGS" {
			b.env = append(b.env, name+"="+value)
		}
	}
	for _, dir := range b.o.Libraries {
		if !strings.Contains(settings["CGO_LDFLAGS"], "-Wl,-rpath,"+dir+" ") && !strings.HasSuffix(settings["CGO_LDFLAGS"], "-Wl,-rpath,"+dir) &&
			!strings.ContainsAny(dir, " \t'\",") {
			b.rpaths = append(b.rpaths, dir)
		}
	}
	return nil
}

// goFlags are the user's GOFLAGS without what a workspace does not go with, and as the program was built: -trimpath keeps the
// checkout's path out of the keys of Go's cache.
func goFlags(given string) string {
	flags := []string{"-trimpath", "-buildvcs=false"}
	for _, f := range strings.Fields(given) {
		switch name, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "="); name {
		case "mod", "modfile", "overlay", "trimpath", "buildvcs", "o":
		default:
			flags = append(flags, f)
		}
	}
	return strings.Join(flags, " ")
}

// findSettings gives the settings that the program was built with, where this machine has the libtorch they name, else those of the
// libtorch that is found.
func (b *build) findSettings() (map[string]string, error) {
	recorded := parseSettings(b.source.settings)
	chosen := os.Getenv("LIBTORCH") != "" || os.Getenv("LIBTORCH_VERSION") != ""
	if !chosen && !b.o.Setup && len(recorded) > 0 && missingPath(recorded) == "" {
		return recorded, nil
	}
	// With LIBTORCH nothing is downloaded.
	if b.o.Setup || os.Getenv("LIBTORCH") != "" {
		if b.o.Setup {
			b.o.Say("setting libtorch up: its headers and libraries are about 550 MB to download, unless they are there")
		}
		if _, err := b.script(b.source.dir, "setup.sh"); err != nil {
			return nil, err
		}
	}
	text, err := b.script(b.source.dir, "env.sh")
	settings := parseSettings(text)
	switch {
	case err == nil && missingPath(settings) == "":
		return settings, nil
	case chosen && err != nil:
		return nil, err
	}
	missing := missingPath(recorded)
	if missing == "" {
		missing = "its folder"
	}
	return nil, fmt.Errorf("libtorch's headers, which a build needs beside the libraries, are missing (%s)\n"+
		"lighter build --setup ... gets libtorch with them, about 550 MB, into lighter's cache folder\n"+
		"LIBTORCH=/path lighter build ... uses one that is installed, also the folder of Python's torch", missing)
}

var exportLine = regexp.MustCompile(`(?m)^export (\w+)='([^']*)'$|^export (\w+)=(\S*)$`)

// parseSettings reads what build/env.sh prints.
func parseSettings(text string) map[string]string {
	settings := map[string]string{}
	for _, m := range exportLine.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			settings[m[1]] = m[2]
		} else {
			settings[m[3]] = m[4]
		}
	}
	return settings
}

// missingPath is a file or folder that the compiler's flags name and that is not there, "" when all are.
func missingPath(settings map[string]string) string {
	include := false
	for _, f := range strings.Fields(settings["CGO_CXXFLAGS"] + " " + settings["CGO_LDFLAGS"]) {
		path := ""
		switch {
		case include:
			path = f
		case strings.HasPrefix(f, "-I"), strings.HasPrefix(f, "-L"):
			path = f[2:]
		}
		include = f == "-include"
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return path
		}
		if strings.HasSuffix(path, filepath.FromSlash("torch/csrc/api/include")) {
			if _, err := os.Stat(filepath.Join(path, "torch/torch.h")); err != nil {
				return filepath.Join(path, "torch/torch.h")
			}
		}
	}
	return ""
}
