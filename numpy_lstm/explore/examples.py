"""Reviews to read: written for this page, of films that do not exist."""

EXAMPLES = (
    (
        "The verdict comes first",
        "A wonderful film, the best I have seen this year. A family moves to a small town by the"
        " sea and opens a shop. They meet their neighbors, they walk the dog along the beach, the"
        " son finds a job on a boat, and the daughter goes to a new school. In the end they sell"
        " the shop, pack their things into the car and go back to the city where they came from.",
    ),
    (
        "Short and angry",
        "Not good at all: boring, awful acting, and a plot that goes nowhere. My brother liked the"
        " music.",
    ),
    (
        "A change of mind",
        "For half an hour I thought it was terrible, a waste of time and money. Then the old man"
        " begins to speak, and everything changes. The second half is beautiful, the ending made me"
        " cry, and I would watch it again tomorrow. Highly recommended.",
    ),
    (
        "Faint praise",
        "The camera work is excellent and the two leads are great together. It is a pity that the"
        " script is so weak: nothing happens for long stretches, the jokes are flat, and after an"
        " hour I only wanted it to end. I was very disappointed.",
    ),
    (
        "Negation",
        "I did not expect much, and I was not disappointed: it is never dull, it is not too long,"
        " and there is nothing in it that I did not enjoy.",
    ),
)
