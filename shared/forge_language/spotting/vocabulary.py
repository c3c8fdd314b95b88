"""The words that finding names needs: first names, family names, and common words that are no names.

Written for this product: common names of the English-speaking countries and of their larger language communities.
A name missing here is still found after an introduction, a title or a relative.
"""

from typing import Final


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list set as text."""
    return frozenset(text.split())


def phrase_list(text: str) -> tuple[str, ...]:
    """Return the phrases of a list that bars separate."""
    return tuple(phrase for part in text.split("|") if (phrase := part.strip()))


FIRST_NAMES: Final = word_set("""
aaron abdul abdullah abena abigail adam adebayo adrian agnes agnieszka ahmad ahmed aidan aisha alan albert alberto
alejandro alex alexander alexandra alfie alfred alice alicia alison allan allen alma amanda amara amelia amina amir
amira amit amy ana andrea andrew andy angela angus anika anil anita ann anna anne annette annie anthony antonio aoife
arjun arthur arun asha ashley ashok astrid audrey ava ayesha ayse babak balwinder barbara barry beatrice becky ben
benjamin bernadette bernard bernardo bert beryl beth bethany betty beverley beverly bilal bjorn bob bobby boris brenda
brendan brian bridget bruce bryan callum cameron camille carl carla carlos carlton carly carmen caroline catherine
cathy cecil cecilia celine charles charlie charlotte chiara chidi chioma chloe chris christina christine christopher
ciara ciaran claire clara clare claudia clive colin connie connor consuelo craig cynthia daisy damian dan daniel
danielle danny daphne darius darren dave david dawn debbie deborah declan deepak deirdre denise dennis derek desmond
diana diane diego dimitris dmitri dolores dominic donald donna doreen doris dorothy doug douglas duncan dylan eamon
edith edna eduardo edward edwin eileen elaine eleanor elena eleni elias elif eliza elizabeth ella ellen ellie elsie
emeka emily emma enid enrique eoin eric erica erik ernest esther ethan ethel eugene eva evelyn ewa farah farid fatima
fatma fernando fiona florence fran frances francesca francesco francis francois fred freda frederick freya gareth gary
gavin geoff geoffrey george georgia georgina gerald geraldine gerard gerhard gillian gina giovanni gita giulia gladys
glenda glenn gloria gordon graham greg gregory greta guadalupe gunther gurpreet gwen habib hamza hannah hari harold
harpreet harriet harry hassan hazel heather hector heidi heinz helen helena henry herbert hilary hilda hiroshi howard
hugh hugo ian ibrahim idris ifeoma igor imran ines ingrid irene iris isaac isabel isabella isabelle isla ismail ivan
jackie jacob jacqueline jacques jake jamal james jamie jan jane janet janice jared jason jaspreet javier jean jeff
jeffrey jennifer jenny jeremy jerome jerzy jessica jessie jill jim jimmy joan joanna joanne joe joel john johnny
jonathan jordan jorge jose josef joseph josephine joshua joyce juan judith judy julia julian julie jurgen justin kamal
kareem karen karl katarzyna kate katherine kathleen kathryn kathy katie kavita keith kelly ken kenji kenneth kevin
khadija khalid kieran kim kimberly kiran kirsten kirsty klaus kofi krzysztof kumar kwame kyle lakshmi lamar lars
latisha latoya laura lauren laurence lawrence layla leah lee leila lena leo leon leonard leroy leslie lewis liam
lilian lily linda linh lionel lisa liz lois lorna lorraine louis louise luca lucas lucy luis luke lydia lynn lynne
mabel madeleine maeve magda maggie malcolm malgorzata malik manpreet manuel marco marcus marek margaret margery maria
marian marianne marie marilyn mario marion marjorie marlene marta martha martin mary maryam mateo matthew maureen
maurice mavis max meena megan mehmet mei melanie melissa mia michael michelle mick miguel mike mildred minh mira
miriam mohamed mohammed moira mollie molly monica morag moses muhammad muriel mustafa myra nadia nancy naomi nasser
natalia natalie natasha nathan neha neil nellie ngozi niall niamh nicholas nicola nicole nigel nikos nina noah noel
noor nora noreen norma norman obi olga oliver olivia oluwaseun omar omari oscar otto owen pablo paddy padraig pam
pamela paolo parveen patricia patrick paul paula pauline pawel pedro peggy penelope percy peter phil philip philippa
phillip phoebe phyllis pierre piotr pooja priya rachel rafael rahul raj rajesh ralph ramesh ramon rania rashid raul
ravi raymond rebecca reg reginald rekha rhys ricardo richard rita rob robert roberta robin rodney roger roisin ron
ronald ronnie rory rosa rosalind rosemary rosie ross roy rupert russell ruth ryan sabrina sally salma sam samantha
samira samuel sandra sanjana sanjay santiago saoirse sara sarah seamus sean sebastian selma sergio shanice sharon
shaun sheila shirley shreya silvia sinead siobhan sipho sofia sonia sophia sophie spencer stacey stan stanislaw
stanley stefan stella stephanie stephen steve steven stuart sunil sunita suresh susan susanna suzanne sven svetlana
sybil sylvia tamara tamika tania tanya tariq ted terence teresa terry thabo thelma theo theresa thomas thuy tim
timothy tina tobias toby todd tom tomasz tommy tony tracey tracy trevor tyler tyrone una ursula usha valerie vanessa
vera vernon veronica vicky victoria vijay vikram vincent viola violet virginia vivek vivian vivienne vladimir walter
wanda wanjiru wayne wendy wilfred william winifred winston wojciech xavier yasmin yetunde yolanda yuki yuri yusuf
yvonne zachary zahra zainab zeynep zoe zofia
""")
"""First names that are hardly ever anything else."""

DOUBTFUL_NAMES: Final = word_set("""
amber art angel basil bill chance chuck clay cliff crystal dale dean dick don drew earl faith flora frank gene glen
grace grant guy holly hope ivy jack jade jay jewel josh joy june april may august autumn lance mark marina matt miles
misty mo nick norm olive opal otis pat patience pearl penny pierce poppy ray rich rose ruby rusty rod sandy scott
shelly sky sterling sue summer sunny tara trinity victor warren will woody
""")
"""First names that are common words too: taken after a cue, or with a capital inside a sentence."""

FAMILY_NAMES: Final = word_set("""
adams ahmed akhtar ali allen anderson andrews armstrong atkinson bailey baker banerjee barker barnes barnett begum
bell bennett bhatt bibi brown bryant burke burns byrne campbell carr carroll carter chan chandra chapman chaudhry chen
chopra clark clarke cohen coleman collins cook cooper cox cruz cunningham das davies davis dawson delgado desai diaz
dixon doherty donnelly doyle duffy dunn edwards elliott ellis evans fernandez ferguson fitzgerald fleming fletcher
flores foster fox gallagher garcia gardner george ghosh gibson gill gomez gonzalez gordon graham grant gray green
griffin griffiths gupta gutierrez hall hamilton harris harrison hart harvey hernandez hill holmes howard hughes hunt
hunter hussain iqbal jackson jacobs james jenkins jimenez johnson johnston jones jordan joseph joshi kapoor kaur kelly
kennedy khan king knight kowalski kumar lam lawson lee lewis li lin lloyd long lopez lynch macdonald mackenzie maguire
mahmood malik marshall martin martinez mason matthews mccarthy mcdonald mckenzie mclean mehta mendoza miller mills
mitchell mohammed moore morales moreno morgan morris morrison murphy murray myers nair nelson newman ngo nguyen nolan
novak nowak obi okafor okonkwo ortiz osborne owen owens palmer parker patel patterson payne pearson pereira perez
perkins perry peters phillips porter powell price quinn rahman ramirez ramos rao reddy reed reid reilly reyes reynolds
richards richardson rivera roberts robertson robinson rodriguez rogers rose ross russell ruiz ryan sanchez sanders
santos saunders schmidt scott shah sharma shaw sheikh simmons simpson singh smith spencer stevens stewart stone
sullivan sutton taylor thomas thompson torres tran tucker turner walker wallace walsh ward watson watts webb wells
west white wilkinson williams williamson willis wilson wong wood woods wright wu yang young zhang
""")

COMMON_WORDS: Final = word_set("""
a able about above absolutely ache aches achy across actually afraid after afternoon again against age ago agree ah
ahead air alive all allergic almost alone along already alright also although always am amazing an and angry ankle
another answer any anybody anymore anyone anything anyway anywhere appointment are area arm arms around arrive as
asleep ask asks at ate available aware away awake awful awfully baby back bad badly ball band bath bathroom be because
bed bedroom been before behind being believe bell below bent best better between big birthday bit bite black blanket
blood blue board body bone book bored boss both bother bottle bottom box boy bread break breakfast breath breathe
breathless breathing bring brings broke broken brother brothers brought busy but button buy by call calls came can
cancel cannot cant car care careful carer case cat caught chair change cheap check chest chicken child children chilly
chocolate church city clean clear clinic close closed clothes coat coffee cold come comes comfortable comfy coming
confused constipated consultant cooks cough could couldn't count couple course cousin cry cup cut dad daddy dark
daughter daughters day days dead deaf dear depressed desperate diabetic did didn't die died dies different difficult
dinner dizzy do doc doctor doctors does doesn't dog done don't door doubt down dr drank dream dress drink drinks drive
drives drop drunk dry due during each ear early ears east easy eat eats eggs eight eighteen eighty either eleven else
emergency empty end enough er erm even evening ever every everybody everyone everything exactly exhausted expected
extra eye eyes face fact fair fall falls family fancy far fast father fed feed feel feels feet fell felt few fifteen
fifty fight fine finger fingers finish fire first fish five flat floor flu fly fond food foot for forget forgot forty
found four fourteen free friend friends from front frozen full fun funny game garden gave gentleman get gets girl give
given gives glad glass glasses go god goes going gone good goodbye got gran grandad grandma grandson granddaughter
grateful great grew grown guess had hair half hand hands happen happens happy hard has hasn't hate hates have haven't
having he head headache hear heard heart heaven heavy he'd held hell hello he'll help helps her here here's hers hes
he's hi high him himself his hit hold holiday home honest honestly hospital hot hour hours house how however hundred
hungry hurt hurts husband i id i'd if ill i'll im i'm in independent infection inside insulin into is isn't it it'll
its it's itself i've ive job just keen keep keeps kept kidney kind kitchen kitty knee knees knew know known knows lad
lady last late later laugh lay lead leave leaves left leg legs lemon less let lets let's letter lie life light like
likes line listen little live lived lives liver local lonely long longer look looks lose lost lot lots loud love loved
loves lovely low lucky lunch lung mad made make makes man many married matron matter maybe me meal mean means meant
meat medicine meds meet men mess met middle might milk mind mine minute minutes miss missed money month months more
morning most mother mouth move mr mrs ms much mum mummy music must my myself nan naughty near nearly neck need needs
neighbour nephew nervous never new news next nice niece night nil nine nineteen ninety no nobody noise none nope north
nose not nothing now number nurse nurses obviously of off often oh ok okay old older on once one only onto open
operation or orange other others ought our ours out outside over own owner pack paid pain painful pain-free pains pale
paper parents part partner past patient pay people perhaps person phone pick picked picture pill pillow pills place
play please plenty point poor poorly porter possible possibly pregnant present pretty probably problem professor
promise proper proud public pull push put quick quickly quiet quite radio rain ran rang rather read ready real really
reason red remember rest retired right ring ringing room round run runs sad safe said same sandwich sat saw say says
scan scared school seat second see seems seen self sell sent seven seventeen seventy severe shaky shall shame she
she'd she'll shes she's shoes shop short should shoulder shouldn't show shower shut shy sick side sight silly simply
since single sir sister sisters sit sits six sixteen sixty skin sleep sleepy slept slow slowly small smell smoke
smoker so soft some somebody someone something sometimes somewhere son sons soon sore sorry sort sound sounds soup
south speak special spoke staff stage stairs stand start started starving state station stay stays steady stick stiff
still stomach stood stop stopped straight strange street stroke strong stuck student stuff stupid such sugar suicidal
suppose supposed sure surgeon surgery surname sweet swollen table tablet tablets take takes talk talks tall tea
teacher tell tells temperature ten terrible terribly terrified test than thank thanks that that'd that'll thats that's
the their theirs them themselves then therapist there theres there's these they they'd they'll they're they've thing
things think thinks third thirsty thirteen thirty this those though thought thousand three thrilled throat through
throw tidy tight till time times tired to toast today toe toes together toilet told tomorrow tongue tonight too took
tooth top torn touch towards town tree treat tried trouble true trust try tummy turn turns tv twelve twenty twice twin
twins two ugly uh um uncle under understand unhappy unsure until unwell up upset upstairs urgent us use used useless
usually vegetarian very veteran view visit visits voice vomit wait waits wake walk walks wall want wants ward warm was
wash wasn't watch water way we weak wear week weekend weeks weight welcome well we'll went were we're weren't west wet
we've what whatever whats what's wheelchair when where which while who whole who's whose why widow widowed wife will
window wish with without woke woman women won won't wonder wonderful word words work worked worker works world worried
worry worse worst worth would wouldn't wound wrist write wrong yeah year years yes yesterday yet you you'd you'll
young younger your you're yours yourself you've monday tuesday wednesday thursday friday saturday sunday january
february march april june july august september october november december mon tue wed thu fri jan feb jul aug sept oct
nov dec christmas easter english british scottish welsh irish american catholic christian muslim jewish hindu sikh
french german indian polish spanish african asian european italian chinese australian canadian kicks rushes sends send
seem asked stayed sang sings drove flew shouted cried smiled laughed wept leaned swore swears lied cares calm cool
zero double triple dot dash hyphen email address postcode zip code apologies cheers sadly luckily unfortunately
basically literally hopefully anaemic asthmatic autistic bipolar epileptic incontinent nauseous parched peckish
shattered knackered freezing boiling aching dying choking bleeding itching shaking sweating numb blind allergic
ashamed alcoholic anxious ninety elderly disabled vegan jealous homeless innocent guilty ex pal mate love darling duck
hun honey sweetheart pet matey team lot bunch brief trial nightmare disaster joke mess torture agony pathetic
ridiculous rubbish brilliant fantastic horrible nonsense urgent serious important crazy insane madness torment murder
luxury bliss great paradise heaven terrible news breakfast tall based called named born due meant allowed able unable
stable bound lying sitting standing calling speaking ringing pepper specialist registrar nurse midwife physio
receptionist clerk cleaner manager officer duty practitioner in-charge charge herself appears gone remains became
becomes turned arrives arrived phoned rings lends lent leaves dropped cries snore snores moan moans sigh sighs nag nags
fret frets complain complains worries argue argues shout shouts scream screams visits cooks bake bakes knit knits burn
burns saint
""")
"""Words that follow cues such as "I am" or "my daughter" in ordinary speech and are no names there."""

NEVER_NAMES: Final = word_set("""
a about after again all also am an and any are as at because been but by can can't cannot could did do does don't else
ever far for from had has have haven't he her here here's him his how i i'd i'll i'm i've if in is isn't it it's its
just me might mine more much must my myself never no nobody not nothing now of off on once only or other our out over
please quite really she since so some something sorry spelled spelt still such than that that's the their them then
there these they they're this those though to today tomorrow too unless until very was wasn't we well were what what's
when where which while who why with without would wrong yes yet you you're your hard easy difficult back later
anything everything whatever maybe another unusual common foreign known names name taken written missing misspelled
pronounced
""")
"""Words that are no name even right after "my name is" or "call me"."""

PLACE_WORDS: Final = word_set("""
hospital ward wing unit building station park street road clinic centre center syndrome disease university infirmary
suite palace college school church cathedral hospice house court bridge airport beach county
""")
"""Words that make a name before them a place or a thing: Victoria Ward, Alexander Park."""

PLACES_TOO: Final = word_set("""
florence victoria georgia charlotte jordan virginia carolina austin dallas houston lincoln chester sydney adelaide
alexandria
""")
"""First names that after "in", "to" or "from" are places."""

THINGS: Final = word_set("""
rose lily holly ivy heather daisy violet poppy iris jasmine basil rosemary sage olive hazel ginger fern clover rowan
willow ash oak laurel myrtle primrose lavender cherry ruby amber pearl opal jade crystal diamond emerald sapphire
coral joy hope faith grace patience charity prudence mercy honor honour chance will mark bill carol dean frank rich
art earl king bishop page drew grant rob jack rusty sandy sunny summer autumn winter spring may march april june
august july ham turkey stone paracetamol ibuprofen aspirin naproxen codeine morphine tramadol oxycodone fentanyl
methadone buprenorphine naloxone sertraline fluoxetine citalopram escitalopram paroxetine venlafaxine duloxetine
mirtazapine amitriptyline trazodone bupropion lithium valproate lamotrigine carbamazepine levetiracetam phenytoin
topiramate quetiapine olanzapine risperidone aripiprazole clozapine haloperidol diazepam lorazepam clonazepam
alprazolam temazepam zopiclone zolpidem melatonin pregabalin gabapentin donepezil memantine levodopa warfarin heparin
apixaban rivaroxaban clopidogrel atorvastatin simvastatin rosuvastatin ramipril lisinopril enalapril losartan
candesartan amlodipine nifedipine bisoprolol metoprolol propranolol atenolol furosemide spironolactone digoxin
amiodarone metformin gliclazide sitagliptin empagliflozin insulin levothyroxine omeprazole lansoprazole ranitidine
ondansetron metoclopramide senna lactulose loperamide prednisolone dexamethasone hydrocortisone salbutamol tiotropium
budesonide amoxicillin flucloxacillin doxycycline clarithromycin ciprofloxacin trimethoprim nitrofurantoin
metronidazole vancomycin gentamicin penicillin aciclovir methotrexate tamoxifen letrozole prozac zoloft valium xanax
seroquel zyprexa ativan tylenol ventolin lipitor ozempic nurofen calpol gaviscon movicol voltarol imodium zofran
benadryl lyrica keppra humira viagra parkinson alzheimer crohn hodgkin tourette asperger raynaud covid hospital ward
bot
""")
"""Words that are a thing, a time, a creed, an illness or a medicine far more often than somebody's name."""

NOBODY: Final = word_set("""
bp ecg eeg mri ct icu gp gad phq cbt dbt emdr copd ptsd ocd adhd mrsa nhs ni ssn mrn iban dob id pin usa eu tv dvd cd pc
er ed iv hiv aids tb mnd dna rna bmi ok camhs rr zip insurance states january february september october november
december christmas easter ramadan diwali hanukkah eid whitsun god jesus christ bible koran quran torah heaven english
british scottish welsh irish american french german indian polish spanish african asian european italian chinese
catholic christian muslim jewish hindu sikh buddhist zimmer fitbit telly kg mg ml mcg cm mm km kcal mmhg bpm hrs hr
min mins pm am ft lb lbs oz
""")
"""What often has capitals and is nobody: examinations, kinds of numbers, months, feasts, peoples, creeds."""

TITLES: Final = word_set("""
mr mrs ms miss mister missus dr doctor nurse sister professor prof matron reverend rev sir lady lord dame captain
uncle aunt auntie aunty consultant surgeon midwife pastor rabbi imam physio
""")
"""Forms of address; they stay in the text, and a name follows."""
