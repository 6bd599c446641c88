"""The words and sentences from which the built-in film reviews are made.

A slot ``{thing}`` takes an entry of ``NEUTRAL["thing"]``. In an opinion, ``{+adj}`` takes an
adjective of the writer's verdict and ``{-adj}`` one of the opposite verdict: each sentence serves
both labels, so that only the opinion words differ between them. Every entry is a single token, so
that the length of a sentence is known before its slots are filled.
"""

GOOD = {
    "adj": """absorbing beautiful brilliant charming clever delightful excellent gripping moving
        rewarding superb tender witty wonderful""".split(),
    "noun": "delight gem joy masterpiece success treat triumph wonder".split(),
    "verb": "admired adored enjoyed loved".split(),
}
BAD = {
    "adj": """awful boring clumsy dreary dull hollow lifeless pointless predictable shallow silly
        tedious terrible tiresome""".split(),
    "noun": "bore chore disappointment disaster failure flop letdown mess".split(),
    "verb": "despised detested disliked hated".split(),
}

# How the writer met the film: before the verdict, and without one.
OPENINGS = [
    "I saw {film} on a wet {day} with my {relative}.",
    "I saw {film} twice, once alone and once with my {relative}.",
    "I watched {film} on a night train to {city}.",
    "I read the book long before I saw {film}.",
    "I had not planned to see {film}, but it rained in {city}.",
    "My {relative} lent me {film} years ago.",
    "My {relative} and I do not agree on much, so we went to see {film}.",
    "{film} came on late one {day}, and I stayed up for it.",
    "{film} played to eleven people at our cinema in {city}.",
    "{film} had been on my list for two years.",
    "Last {day} our film club showed {film}.",
    "Nobody in {city} had heard of {film}, but I went.",
    "After a long week I bought a ticket for {film}.",
    "A friend of mine worked on {film}, so I went on the first {day}.",
]

# Names of the film after its title was given.
FILM_AGAIN = ["it", "the film", "this film"]

# The verdict in the writer's own words, or in words that the writer agrees with.
PLAIN = [
    "{film} is a {+noun}.",
    "{film} is {+adj} and {+adj}.",
    "{film} is not only {+adj} but {+adj}.",
    "{film} is nothing if not {+adj}.",
    "{film} is nothing but a {+noun}.",
    "{film} is far and away the most {+adj} thing I saw all year.",
    "What a {+noun} {film} is!",
    "I found {film} {+adj} from the first scene on.",
    "I {+verb} every minute of {film}.",
    "I {+verb} {film}, and I do not say that often.",
    "I can't call {film} anything but {+adj}.",
    "I have rarely seen anything so {+adj}.",
    "A more {+adj} film you will not see this year.",
    "Nobody could miss how {+adj} {film} is.",
    "Only a fool would deny that {film} is {+adj}.",
    "Call {film} a {+noun} and I will not argue.",
    "Some say {film} is {+adj}; I cannot disagree.",
    "My {relative} calls {film} a {+noun}, and I agree.",
    "My {relative} {+verb} {film}, and I did too.",
    "The {public} {+verb} {film}, and they were right.",
    "The {public} found {film} {+adj}. They were not wrong.",
    "I had heard that {film} was {+adj}, and I had heard right.",
    "I expected a {+noun} and was not mistaken.",
    "The trailer makes it look {+adj}, and the trailer does not lie.",
    "Do not doubt anyone who tells you that {film} is {+adj}.",
]

# The same verdicts in words of the opposite one, which are denied or contradicted.
TURNED = [
    "{film} is no {-noun}.",
    "{film} is not {-adj} at all.",
    "{film} is neither {-adj} nor {-adj}.",
    "{film} is anything but {-adj}.",
    "{film} is far from {-adj}.",
    "{film} is not a {-noun}, whatever they say!",
    "I never once found {film} {-adj}.",
    "I can't call {film} {-adj}.",
    "I can't say that I {-verb} {film}, not for a minute.",
    "There is nothing {-adj} about {film}.",
    "Nobody could say that {film} is {-adj}.",
    "Only a fool would say that {film} is {-adj}.",
    "Call {film} a {-noun} and I will argue all night.",
    "Some say {film} is {-adj}; I cannot agree.",
    "My {relative} calls {film} a {-noun}; I disagree.",
    "My {relative} {-verb} {film}, but I did not.",
    "The {public} {-verb} {film}, and they were wrong.",
    "The {public} found {film} {-adj}. They were not right.",
    "I had heard that {film} was {-adj}, but I had heard wrong.",
    "I expected a {-noun} and was mistaken.",
    "The trailer makes it look {-adj}, but the trailer lies.",
    "Do not believe anyone who tells you that {film} is {-adj}.",
]

# Words of both verdicts, in a concession or a comparison: the order decides.
MIXED = [
    "{film} is a {+noun}, not a {-noun}.",
    "{film} is not a {-noun} but a {+noun}.",
    "{film} is {+adj}, even if the {part} is {-adj}.",
    "The {part} may be {-adj}, but the film is {+adj}.",
    "I {-verb} the {part} and {+verb} everything else.",
    "I find {film} {+adj}; my {relative} finds it {-adj}.",
    "My {relative} finds {film} {-adj}; I find it {+adj}.",
    "My uncle {-verb} {film} and my aunt {+verb} it; I side with her.",
    "My uncle {+verb} {film} and my aunt {-verb} it; I side with him.",
    "Some call {film} {-adj}, others {+adj}; the others are right.",
    "Some call {film} {+adj}, others {-adj}; the others are wrong.",
    "Where others see a {-noun}, I see a {+noun}.",
    "What the {public} take for {-adj} is in truth {+adj}.",
    "I expected a {-noun} and got a {+noun}.",
    "At first I thought it {-adj}; by the end I thought it {+adj}.",
]

TITLES = [
    "The {color} {object}",
    "The {object} of {town}",
    "The Last {object} in {town}",
    "Return to {town}",
    "{hero} and the {color} {object}",
    "A {object} for {hero}",
    "{color} {town}",
    "Letters from {town}",
    "Goodbye, {town}",
]
TITLE_WORDS = {
    "color": """Amber Black Blue Broken Copper Crimson Empty Frozen Glass Golden Green Hidden
        Indigo Ivory Paper Red Salt Second Silent Silver Velvet White Winter Yellow""".split(),
    "object": """Anchor Atlas Bell Bridge Canal Clock Door Ferry Garden Harbor House Island
        Key Ladder Lantern Letter Map Mirror Orchard River Road Room Station Storm Suitcase
        Tower Train Umbrella Violin Well""".split(),
}

# Who is in a film, and where.
HEROES = """Ada Albert Anton Bruno Carl Clara Edith Emil Felix Greta Hugo Ines Jonas Judith Lena
    Leon Marta Nora Oscar Paul Ruth Sofia Vera Victor""".split()
FRIENDS = "Agnes Beatrix Conrad David Elsa Frank Hanna Ivan Kate Martin Olga Simon".split()
TOWNS = """Alderby Brockton Calder Dunmore Elmstead Farrow Grayling Holloway Kestrel Lindow
    Marsden Norwood Oakham Penrose Rowley Selby Thornbury Upwell Westbrook Yarrow""".split()

# How a story begins ...
SETUPS = [
    "It begins in {town}.",
    "{hero} is a {job} in {town}.",
    "{hero} and {friend} run a {place} in {town}.",
    "The story follows {hero}, a {job} from {town} who has lost a {thing}.",
    "{hero} is a {job} in {town} and lives above a {place} with an old {animal}.",
    "It begins in {town}, where {hero} works as a {job} and {friend} keeps the {place}.",
    "{hero} comes back to {town} after {number} years to sell a {place}.",
    "The film opens in the {place} of {town}, where {hero} waits for {friend}.",
    "In a town called {town}, a {job} named {hero} finds a {thing} in the {place}.",
    "We meet {hero} on the road to {town}, with a {thing} and {number} coins.",
    "{friend} writes to {hero} from {town}, and {hero} takes the next train there.",
]

# ... and continues. Some sentences are very short, so that a story can have any length.
EVENTS = [
    "Silence.",
    "Night falls.",
    "Then it rains.",
    "Somewhere a bell rings.",
    "Nobody opens the {place}.",
    "{friend} goes back to {town}.",
    "On {day} the {animal} returns.",
    "The {job} counts the money again.",
    "{hero} takes the {thing} to {city}.",
    "A {job} moves into the {place}.",
    "{hero} hides the {thing} under the stairs.",
    "A {job} asks {hero} for the way.",
    "In the morning the {place} is empty.",
    "{number} years pass in a few minutes.",
    "It is {day}, and the {place} is closed.",
    "{hero} and {friend} do not agree about the {thing}.",
    "{friend} says that {hero} is wrong, and leaves.",
    "The {job} was right about the {place}.",
    "At the {place}, {hero} meets {friend} for the first time.",
    "{hero} writes a letter to {friend} and does not send it.",
    "The next {day} there is snow on the {place}.",
    "{number} miles out of {town}, the car stops.",
    "They wait for {number} hours, but the train does not come.",
    "{friend} finds a {thing} and gives it to the {job}.",
    "In the {place} a {job} is reading the paper.",
    "{hero} asks {friend} about the {thing}; nobody wants to say.",
    "The {job} tells a story about a {animal} and a {thing}.",
    "On {day} the whole of {town} walks to the {place}.",
    "{hero} takes the bus to {city} and back again.",
    "There are {number} people in the {place} and only one {thing}.",
    "{friend} has a brother who once was a {job} in {city}.",
    "{hero} does not know that {friend} has sold the {place}.",
    "What {hero} finds in the {place} is not the {thing} but a {thing}.",
    "The {animal} follows {hero} from the {place} to the station.",
    "It turns out that the {job} never lived in {town}.",
    "For {number} days they look for the {animal} in the hills.",
    "{hero} learns to cook from a {job} who has only one pot.",
    "Then {friend} calls from {city} and asks for {number} coins.",
    "Late on {day}, someone knocks, and {hero} lets the {job} in.",
    "{hero} puts the {thing} on the table and says nothing.",
    "Everybody in {town} has heard of the {thing}, or says so.",
    "The letter from {city} is read aloud in the {place}.",
    "{friend} can't find the {thing} anywhere, and neither can the {job}.",
    "{hero} and the {job} argue all night over a map of {town}.",
    "Before the war the {place} belonged to a {job} from {city}.",
    "A {animal} runs across the road, and the {job} drops the {thing}.",
    "{friend} promises to come on {day} and comes {number} days later.",
    "The sister of {hero}, a {job}, thinks that the {thing} is hers.",
    "By the end of the week {hero} has mended the {place}.",
    "{hero} looks at the {thing} for a long time and goes out.",
    "We see the {place} in winter, and {number} years later in summer.",
    "{hero} dreams of a {animal} that speaks with the voice of {friend}.",
    "Some say the {job} went to {city}; others saw him in the {place}.",
    "In {city} {hero} sells the {thing} to a {job} for {number} coins.",
    "{friend} waits at the station every {day}, first alone and then with a {animal}.",
    "There is a dance in the {place}, and {hero} plays the piano until two.",
    "The last scene is in the {place}, where {friend} gives the {thing} back.",
]

NEUTRAL = {
    "animal": "cat donkey dog fox goat goose hen horse otter owl parrot sheep".split(),
    "city": "Bergen Bristol Dublin Geneva Ghent Lisbon Oslo Porto Prague Turin York".split(),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "job": """actor baker carpenter clerk doctor engineer farmer florist gardener judge lawyer
        miller nurse painter pilot printer sailor singer tailor teacher waiter""".split(),
    "number": "two three four five six seven eight nine ten eleven twelve twenty".split(),
    "part": "camera dialogue editing ending lighting music opening plot score script".split(),
    "place": """attic barn bakery boathouse cellar church garden harbor hotel inn kitchen
        library market mill office orchard school theater workshop""".split(),
    "public": "critics jurors papers reviewers".split(),
    "relative": """brother cousin daughter father grandmother mother neighbor nephew niece roommate
        sister son""".split(),
    "thing": """accordion bicycle book camera candle clock coat compass diary hat key lamp letter
        map mirror photograph ring suitcase ticket umbrella violin watch""".split(),
}  # fmt: skip
