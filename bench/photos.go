package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// photoCount is the images of an epoch.
const photoCount = 640

// photoRows measure reading images beside PyTorch's loader with two workers and with three: one of them is the best number
// of two cores. command makes a program, as in table.
func photoRows(lighter, torch, config string, command func(binary string, short, long int, args ...string) *program) []*row {
	var rows []*row
	for _, workers := range []string{"2", "3"} {
		rows = append(rows, &row{
			name: fmt.Sprintf("photos (PyTorch's with %s workers)", workers), unit: "us/image", scale: 1e6, threads: 1,
			stepsPerEpoch: photoCount, leastOfEager: 1.5, programs: [sides]*program{
				command(lighter, 1, 4, "fit", config, "trainer::max_epochs=%d"), nil,
				command(torch, 1, 3, "photos.py", workers, "%d"), nil,
			},
		})
	}
	return rows
}

// makePhotos writes JPEG files of 500x375 pixels (4:2:0, quality 90, about 60 kB) with large and small shapes and the noise
// of a camera: 64 of them, each under ten names.
func makePhotos(dir string) error {
	for i := range photoCount / 10 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, photo(uint64(i)), &jpeg.Options{Quality: 90}); err != nil {
			return err
		}
		for k := range 10 {
			path := filepath.Join(dir, "photos", fmt.Sprint(k%4), fmt.Sprintf("%02d-%d.jpg", i, k))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func photo(seed uint64) image.Image {
	r := rand.New(rand.NewPCG(seed, 0))
	m := image.NewRGBA(image.Rect(0, 0, 500, 375))
	const octaves = 7
	var grids [octaves][3][130][130]float64
	for o := range octaves {
		for c := range 3 {
			for y := range grids[o][c] {
				for x := range grids[o][c][y] {
					grids[o][c][y][x] = r.NormFloat64() * 60 / float64(int(1)<<o)
				}
			}
		}
	}
	for y := range 375 {
		for x := range 500 {
			var v [3]uint8
			for c := range v {
				sum := 120 + 6*r.NormFloat64()
				for o := range octaves {
					scale := float64(int(1)<<o) / 250
					fx, fy := float64(x)*scale, float64(y)*scale
					ix, iy := int(fx), int(fy)
					fx, fy = fx-float64(ix), fy-float64(iy)
					g := &grids[o][c]
					sum += (g[iy][ix]*(1-fx)+g[iy][ix+1]*fx)*(1-fy) + (g[iy+1][ix]*(1-fx)+g[iy+1][ix+1]*fx)*fy
				}
				v[c] = uint8(min(max(sum, 0), 255))
			}
			m.SetRGBA(x, y, color.RGBA{v[0], v[1], v[2], 255})
		}
	}
	return m
}
