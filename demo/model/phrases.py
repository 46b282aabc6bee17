"""What the demo rules can say: short sentences by topic, with {slots} that are filled at random. Pure data."""

from collections.abc import Mapping
from typing import NamedTuple


class Talk(NamedTuple):
    """A question, an answer that fits it, and something the one who answers may add."""

    question: str
    answer: str
    more: str


class Topic(NamedTuple):
    """`words` are beginnings of words that point to the topic; `follow` may come after a trait that does."""

    name: str
    words: tuple[str, ...]
    follow: tuple[str, ...]
    talks: tuple[Talk, ...]


SLOTS: Mapping[str, tuple[str, ...]] = {
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "who": ("my sister", "my brother", "a friend", "my neighbour", "my cousin", "my mum", "my dad", "a colleague"),
    "when": ("last week", "this morning", "yesterday", "over the weekend", "two days ago", "the other night"),
    "often": ("twice a week", "every other day", "most weekends", "now and then", "once a month", "every evening"),
    "long": ("a year", "two years", "six months", "ages", "five years", "half my life", "about ten years"),
    "count": ("two", "three", "four", "five", "six", "seven"),
    "mood": ("fun", "relaxing", "exhausting", "exciting", "a bit scary", "surprisingly easy", "harder than I thought"),
    "place": ("near the river", "downtown", "by the old station", "around the corner", "out of town"),
    "season": ("spring", "summer", "autumn", "winter"),
}

WORK = Topic(
    "work",
    ("work", "job", "office", "boss", "career", "manag", "shift", "company", "business", "employ", "compan"),
    (
        "The hours are long, but the people are {mood}.",
        "I have been doing it for {long} now.",
        "{day}s are always the busiest.",
        "It pays the bills, and I learn a lot.",
    ),
    (
        Talk(
            "Do you get along with your team?",
            "Mostly, we have lunch together {often}.",
            "One of them tells terrible jokes.",
        ),
        Talk(
            "How did you end up doing that?",
            "{who} told me about an opening, so I applied.",
            "I never thought I would stay this long.",
        ),
        Talk(
            "Is it stressful at the moment?",
            "It was {mood} {when}, but it is calmer now.",
            "A holiday would still be nice.",
        ),
        Talk(
            "What is the best part of it?",
            "Probably the moment when a plan finally works.",
            "And the free coffee, of course.",
        ),
    ),
)
FAMILY = Topic(
    "family",
    (
        "famil",
        "wife",
        "husband",
        "kid",
        "child",
        "son",
        "daughter",
        "mother",
        "father",
        "mom",
        "dad",
        "parent",
        "brother",
        "sister",
        "married",
        "marri",
        "baby",
        "grand",
        "twin",
    ),
    (
        "We all meet for dinner {often}.",
        "It gets loud when everybody is here.",
        "They drive me mad, but I love them.",
        "We live {place}, so we see each other a lot.",
    ),
    (
        Talk("Are you all close?", "Very, we call each other {often}.", "The phone bill is something else."),
        Talk(
            "How many of you are there?",
            "There are {count} of us, plus one very old cat.",
            "Holidays need a really big table.",
        ),
        Talk("What do you do together?", "We cook, we play cards, and somebody always cheats.", "It is usually {who}."),
        Talk(
            "Do you see them often?", "We were all together {when}, and it was {mood}.", "I already miss them a little."
        ),
    ),
)
PETS = Topic(
    "pets",
    ("dog", "cat", "pet", "puppy", "animal", "horse", "bird", "fish", "kitten", "rabbit", "iguana", "turtle", "bunn"),
    (
        "I never feel alone in the house.",
        "We go for a walk {place} {often}.",
        "I would be lost without that company.",
        "It all started when {who} found a stray.",
    ),
    (
        Talk(
            "Was it hard to train at first?", "The first weeks were {mood}, honestly.", "I lost {count} pairs of shoes."
        ),
        Talk(
            "Have you always liked animals?",
            "Yes, I grew up with {count} of them.",
            "My parents were very patient people.",
        ),
        Talk(
            "What is the funniest habit?",
            "Stealing socks and hiding them under the bed.",
            "I found {count} of them {when}.",
        ),
        Talk(
            "Who looks after them when you are away?",
            "{who} does, and gets paid in cake.",
            "Everybody is happy with that deal.",
        ),
    ),
)
SPORT = Topic(
    "sport",
    (
        "sport",
        "workout",
        "athlet",
        "run",
        "gym",
        "ski",
        "swim",
        "football",
        "soccer",
        "basketball",
        "tennis",
        "hik",
        "yoga",
        "climb",
        "surf",
        "bik",
        "cycl",
        "exercis",
        "danc",
        "golf",
        "baseball",
        "hockey",
        "marathon",
        "team",
        "canoe",
        "kayak",
        "skat",
    ),
    (
        "I try to go {often}, rain or shine.",
        "It clears my head after a long day.",
        "My knees complain, but I ignore them.",
        "I picked it up in {season} and never stopped.",
    ),
    (
        Talk(
            "How did you get into it?",
            "{who} dragged me along {when}, and I got hooked.",
            "Now I am the one who drags people along.",
        ),
        Talk(
            "Do you compete or is it just for fun?",
            "Just for fun, although I hate losing.",
            "I came second once, which I still mention.",
        ),
        Talk(
            "Is it hard for a beginner?",
            "The first time is {mood}, then it gets better.",
            "You should come along on {day}.",
        ),
        Talk(
            "Where do you usually go?",
            "There is a good spot {place}, quiet and free.",
            "In {season} it is really beautiful.",
        ),
    ),
)
FOOD = Topic(
    "food",
    (
        "food",
        "cook",
        "eat",
        "bake",
        "baking",
        "pizza",
        "vegan",
        "vegetarian",
        "meat",
        "coffee",
        "tea",
        "chocolate",
        "restaurant",
        "cake",
        "cheese",
        "burger",
        "taco",
        "sushi",
        "chef",
        "diet",
        "dinner",
        "wine",
        "candy",
        "steak",
        "pasta",
        "ice cream",
    ),
    (
        "I could have it {often} and never get tired.",
        "{who} taught me most of what I know.",
        "The kitchen looks awful afterwards, though.",
        "There is a tiny place {place} that does it best.",
    ),
    (
        Talk(
            "Do you cook a lot yourself?",
            "{often}, mostly simple things with lots of garlic.",
            "My last soup was {mood} to make.",
        ),
        Talk(
            "What did you have {when}?",
            "Noodles with whatever was left in the fridge.",
            "It tasted better than it looked.",
        ),
        Talk(
            "Is there anything you cannot stand?",
            "Mushrooms, I have tried {count} times to like them.",
            "Everybody tells me I am missing out.",
        ),
        Talk(
            "Do you follow recipes?", "Only the first time, then I make it up.", "That went wrong {when}, to be fair."
        ),
    ),
)
MUSIC = Topic(
    "music",
    (
        "music",
        "guitar",
        "piano",
        "band",
        "sing",
        "song",
        "concert",
        "rock",
        "jazz",
        "drum",
        "violin",
        "country music",
        "rap",
        "album",
        "listen",
        "radio",
    ),
    (
        "I have been at it for {long}.",
        "There is always something playing at my place.",
        "It is the first thing I do after work.",
        "I saw a great show {place} {when}.",
    ),
    (
        Talk(
            "Do you play anything yourself?",
            "A little, mostly when nobody can hear me.",
            "{who} says I am getting better.",
        ),
        Talk(
            "Who are you listening to right now?",
            "An old record that {who} gave me.",
            "I have played it {count} times this week.",
        ),
        Talk("Do you go to many shows?", "I try to see one {often}.", "The small ones {place} are the best."),
        Talk(
            "How did that start for you?",
            "There was always a radio on at home.",
            "My parents sang along, badly but happily.",
        ),
    ),
)
READING = Topic(
    "books and films",
    (
        "book",
        "read",
        "novel",
        "movie",
        "film",
        "write",
        "writ",
        "poet",
        "story",
        "stories",
        "tv",
        "show",
        "series",
        "netflix",
        "watch",
        "comic",
        "anime",
        "horror",
        "librar",
        "author",
    ),
    (
        "I stay up far too late because of it.",
        "My shelves are full, so there are piles now.",
        "I finished a really good one {when}.",
        "{who} and I swap our favourites.",
    ),
    (
        Talk(
            "What was the last good one?",
            "A quiet story about {count} friends and a lighthouse.",
            "I cried a bit at the end.",
        ),
        Talk(
            "Do you prefer funny or sad ones?",
            "Funny ones on {day}, sad ones when it rains.",
            "It rains quite a lot here.",
        ),
        Talk(
            "When do you find the time?",
            "On the train, and in bed until my eyes close.",
            "I missed my stop {when} because of it.",
        ),
        Talk(
            "Could you recommend me something?",
            "Sure, I will send you my list of {count}.",
            "Start with the shortest, it is {mood}.",
        ),
    ),
)
TRAVEL = Topic(
    "travel",
    (
        "travel",
        "trip",
        "countr",
        "beach",
        "vacation",
        "holiday",
        "mexico",
        "europe",
        "france",
        "italy",
        "spain",
        "ocean",
        "sea",
        "mountain",
        "camp",
        "fly",
        "plane",
        "visit",
        "world",
        "abroad",
        "city",
        "moved",
        "live in",
        "japan",
        "road",
    ),
    (
        "I am already saving for the next one.",
        "The best days were the ones without a plan.",
        "I went with {who}, and it was {mood}.",
        "{season} is the right time for it, I think.",
    ),
    (
        Talk("Where would you go next?", "Somewhere warm, with good food and no phone.", "{who} wants to come too."),
        Talk(
            "Do you like to travel alone?",
            "I did it once for {count} weeks, and it was {mood}.",
            "You meet more people that way.",
        ),
        Talk(
            "What was the best moment?",
            "Watching the sun come up with strangers.",
            "We shared one blanket and {count} oranges.",
        ),
        Talk("How long were you away?", "About {count} weeks, which went by too fast.", "I still have sand in my bag."),
    ),
)
STUDY = Topic(
    "study",
    (
        "stud",
        "school",
        "college",
        "universit",
        "student",
        "teach",
        "class",
        "degree",
        "learn",
        "exam",
        "major",
        "languag",
        "professor",
        "math",
        "science",
        "history",
        "graduat",
    ),
    (
        "There is an exam on {day}, so wish me luck.",
        "I like it more than I expected.",
        "I sit in the library {often}.",
        "It has been {long}, and I am still curious.",
    ),
    (
        Talk(
            "What is the hardest part?",
            "Getting started, once I sit down it is fine.",
            "My desk has never been so tidy.",
        ),
        Talk(
            "Do you have a lot to do now?",
            "{count} papers, and one is due on {day}.",
            "I have written the title so far.",
        ),
        Talk(
            "Why did you choose that?",
            "I had a wonderful teacher when I was young.",
            "She made everything sound like an adventure.",
        ),
        Talk(
            "What comes after that?", "A long break first, then I will see.", "{who} thinks I should take a year off."
        ),
    ),
)
HEALTH = Topic(
    "health",
    (
        "health",
        "sick",
        "doctor",
        "hospital",
        "sleep",
        "stress",
        "nurse",
        "allerg",
        "pain",
        "diet",
        "weight",
        "anxi",
        "smok",
        "medic",
        "disab",
        "blind",
        "deaf",
        "glasses",
    ),
    (
        "Some days are better than others.",
        "I go for a short walk {often} now.",
        "It has taught me to slow down.",
        "{who} has been a great help with it.",
    ),
    (
        Talk(
            "Are you doing all right now?", "Much better, thanks, I slept well {when}.", "It makes such a difference."
        ),
        Talk("What helps you the most?", "Fresh air, and talking to {who}.", "And soup, soup helps with everything."),
        Talk("Has it been like that for long?", "For {long}, so I am used to it.", "I know all the nurses by name."),
        Talk("Do you take enough breaks?", "I try, although {day}s are difficult.", "I set an alarm for it now."),
    ),
)
HOME = Topic(
    "home and garden",
    (
        "home",
        "house",
        "garden",
        "apartment",
        "farm",
        "plant",
        "flower",
        "build",
        "paint",
        "knit",
        "craft",
        "collect",
        "game",
        "video",
        "fishing",
        "hunt",
        "shop",
        "art",
        "draw",
        "photo",
    ),
    (
        "I spend far too much time on it.",
        "It keeps my hands busy in the evening.",
        "I started small, and it got out of hand.",
        "{who} keeps asking me for one.",
    ),
    (
        Talk(
            "How long have you been into that?",
            "For {long}, it began with a birthday present.",
            "The present is still on my shelf.",
        ),
        Talk(
            "Is it an expensive thing to do?",
            "Not really, I find most of it second hand.",
            "There is a market {place} on {day}.",
        ),
        Talk("Do you show it to people?", "Only to {who}, who is very polite.", "Maybe I should be braver about it."),
        Talk(
            "What are you working on now?",
            "Something big, it should be ready by {season}.",
            "So far it looks rather odd.",
        ),
    ),
)
ANYTHING = Topic(
    "everyday life",
    (),
    (
        "It has been like that for {long}.",
        "People are often surprised when I say so.",
        "I would not want it any other way.",
        "{who} is just the same.",
        "That is a longer story, though.",
    ),
    (
        Talk("Has it always been that way?", "More or less, at least for {long}.", "It feels normal to me by now."),
        Talk(
            "What do your friends say about it?",
            "They laugh, and then they ask for details.",
            "{who} asks the most, of course.",
        ),
        Talk("How did that come about?", "By accident really, it happened {when}.", "I would do it again, though."),
        Talk(
            "What does a normal week look like?",
            "Busy until {day}, then I do nothing at all.",
            "Nothing at all is quite {mood}.",
        ),
        Talk(
            "Any plans for {season}?",
            "Seeing {who}, sleeping in and cooking something new.",
            "Maybe a short trip as well.",
        ),
        Talk("What makes you laugh?", "Small things, like {who} singing in the car.", "It was so bad {when}."),
    ),
)

TOPICS = (WORK, FAMILY, PETS, SPORT, FOOD, MUSIC, READING, TRAVEL, STUDY, HEALTH, HOME)

OPENERS = (
    "Hi there, how are you today?",
    "Hey, how has your week been?",
    "Hello, how is it going?",
    "Hey, how are things?",
    "Good evening, how was your {day}?",
    "Hi, are you having a good day?",
)
OPENER_EXTRAS = (
    "I just got home and put the kettle on.",
    "It has been a long {day} here.",
    "I am finally sitting down for a minute.",
    "The weather is awful, so I am staying in.",
    "I could use some company right now.",
    "I have the whole evening to myself.",
    "{who} has just left, so it is quiet here.",
)
GREETINGS = (
    "Hey, pretty good, thanks!",
    "Hi, not too bad.",
    "Hello, all good here!",
    "Hi, a bit tired, but fine.",
    "Hey, I am great, thank you.",
)
BOUNCES = ("And you?", "How about you?", "What about you?", "Tell me about you.", "And what do you do for fun?")
REACTIONS = (
    "Oh nice!",
    "Really?",
    "That sounds great.",
    "Ha, I can picture that.",
    "Wow, good for you!",
    "I like that.",
    "That is so cool.",
    "Oh, interesting.",
    "No way!",
    "That must be {mood}.",
)
ACKNOWLEDGEMENTS = (
    "Good question.",
    "Ha, well.",
    "Let me think.",
    "Funny that you ask.",
    "Honestly?",
    "Oh, where do I begin?",
    "Hmm.",
)
LEADS = (
    "By the way…",
    "Guess what!",
    "My turn!",
    "Well, about me…",
    "You will laugh, but…",
    "Oh, and…",
)
SYMPATHIES = (
    "I know exactly what you mean.",
    "I never knew that about you.",
    "{who} told me something like that.",
    "{who} is just like you there.",
    "I have wondered about that myself.",
)
PARTING_LEADS = (
    "Oh, look at the time!",
    "Ha, I see.",
    "That is good to hear.",
    "I will remember that.",
)
FAREWELLS = (
    "I have to run now, sadly.",
    "I should get some sleep soon.",
    "My dinner is ready, so I must go.",
    "{who} is at the door, I have to go.",
)
THANKS = (
    "It was lovely talking to you.",
    "Thanks for the chat!",
    "This was really nice.",
    "I enjoyed this a lot.",
    "You made my evening.",
)
GOODBYES = (
    "Talk soon!",
    "See you around!",
    "Take care!",
    "Have a good night!",
    "Bye for now!",
    "Sleep well!",
)
GENERAL_TRAITS = (
    "I enjoy a good conversation.",
    "I am curious about other people.",
    "I like quiet evenings at home.",
    "I try to see the bright side of things.",
)
THEME_OPENINGS = (
    "Two people get to know each other in a casual chat that circles around {topic}.",
    "In an easy evening chat two strangers find that {topic} is something both can talk about.",
    "Two acquaintances write to each other about how they spend their days, above all about {topic}.",
    "A light conversation between two people who have just met soon turns to {topic}.",
)
THEME_SUBJECTS = (
    "Along the way they touch on {subjects}, and each one tells the other a little about daily life.",
    "They mention {subjects}, compare their habits and are curious about what the other one likes.",
    "What comes up includes {subjects}, and both of them share small things about themselves.",
)
THEME_FILLERS = (
    "The mood is friendly and relaxed throughout.",
    "They ask each other questions and find a few things in common.",
    "Now and then one of them tells a short story from everyday life.",
    "In the end both seem glad to have met.",
)
# Too common to say what a dialogue is about.
STOP_WORDS = """
sound sounds awesome prefer name enjoy best kind live currently years old nothing yourself bit wonder work works
about after again also always another anything because been before being both cannot could does doing done down
each even ever every everything from good going great guess have having hello hear here hope into just know like
little long look lots love made make many maybe mean more most much must myself need never nice only other over
people pretty probably quite really right said same should some someone something sometimes soon still such sure
take talk tell than thank thanks that their them then there these they thing things think this those time today
told very want wants well were what when where which while will with without wish would wow yeah year years your
yours welcome favorite
"""
