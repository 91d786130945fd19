package fleet

import (
	"fmt"
	"math/rand/v2"
)

var firstNames = []string{
	"Ana", "Ben", "Carmen", "Dario", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Keiko", "Luca", "Mei", "Nadia",
	"Omar", "Priya", "Quinn", "Rosa", "Sam", "Tara", "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoe", "Amara", "Bruno",
	"Chloe", "Diego", "Esther", "Felix", "Gita", "Hana", "Ivan", "Joy", "Kofi", "Leila", "Mateo", "Noor",
}

var lastNames = []string{
	"Alvarez", "Bauer", "Chen", "Diallo", "Eriksen", "Flores", "Garcia", "Haddad", "Ito", "Jensen", "Kim", "Lopez", "Moreau",
	"Nguyen", "Okafor", "Patel", "Quiroga", "Rossi", "Sato", "Tran", "Ueda", "Vargas", "Wong", "Yilmaz", "Zhang", "Amin",
	"Brooks", "Costa", "Dubois", "Evans", "Fischer", "Gupta", "Hughes", "Ivanova", "Jones", "Kaya", "Lindqvist", "Mbeki",
	"Novak", "Reyes",
}

var notes = []string{
	"", "", "", "Please ring twice", "Leave it at the front door", "Second floor, no lift", "Call when you are outside",
	"The dog is friendly", "Gate code 4821", "Please do not ring: baby sleeping",
}

func randomName(rng *rand.Rand) string {
	return firstNames[rng.IntN(len(firstNames))] + " " + lastNames[rng.IntN(len(lastNames))]
}

// randomPhone draws from the numbers that are reserved for fiction.
func randomPhone(rng *rand.Rand) string { return fmt.Sprintf("+1415555%04d", 100+rng.IntN(100)) }

func randomNote(rng *rand.Rand) string { return notes[rng.IntN(len(notes))] }
