"""Words of radiology and of institutions, in several languages, folded: they name nobody.

They end a name that a title or a label begins, and are not cut for being all there is of an institution or a
department. A person or an identifier of the object that is called so is cut all the same.
"""

from __future__ import annotations

from dcmveil.folding import fold

__all__ = ["COMMON", "EPONYMS"]

_MODALITIES = """
    ct mr mri mrt mra mrs mrcp cta ctv petct pet spect dsa dr cr us usg rf xa xr xray dx mg nm rt irm tdm tac tep rx
    rmn pacs ris kt mpt cbct cbf cbv mtt hrct dwi adc dti swi flair stir tse fse gre epi tof mprage vibe haste space
    trufi dixon fiesta fspgr bold dce dsc mip mpr vrt cor cori coronal sag sagittal ax axi axial tra trans
    transverse oblique ap pa lat lateral ll rl scout localizer topogram survey lokalisator reference recon
    reconstruction series serie study studie scan scans phase dynamic dyn perfusion diffusion angio angiography
    angiographie angiografia venogram fluoro fluoroscopy mammo mammography mammographie mammografia ultrasound
    sonographie sonography echo doppler tomo tomosynthesis tomographie tomography radiography radiographie
    radiografia radiograph roentgen rontgen xrays contrast kontrast kontrastmittel km gadolinium iodine jod native
    nativ plain enhanced weighted fat sat fatsat water inphase opposed isotropic iso thin thick slice slices slab
    stack image images bild bilder imagen film protocol protokoll protocole protocolo routine standard low high dose
    dosis fast ultra mm cm kv ma mas ms hz tr te ti fa fov matrix kernel soft bone lung window iv oral rectal
"""
_BODY = """
    head kopf tete cabeza neck hals cou cuello brain hirn gehirn cerveau cerebro skull schadel crane craneo face
    orbit orbita orbits orbitae sinus sinuses nnh pituitary hypophyse petrous temporal bone iac tmj jaw kiefer
    dental teeth mandible maxilla thyroid schilddruse thorax chest brust torax lung lungs lunge lungen poumon pulmon
    pulmonary heart herz coeur corazon cardiac kardio coronary koronar aorta aortic carotid karotis carotis vessel
    gefass abdomen abdominal abd bauch ventre liver leber foie higado hepatic biliary gallbladder galle pancreas
    pankreas spleen milz rate bazo kidney kidneys niere nieren rein reins rinon renal adrenal nebenniere bladder
    blase vessie vejiga prostate prostata uterus ovary pelvis becken bassin pelvic bowel darm colon kolon rectum
    rektum appendix stomach magen estomac estomago esophagus spine wirbelsaule rachis columna cervical cspine hws
    thoracic tspine bws lumbar lspine lws lumbosacral sacrum sacral si joint spinal cord shoulder schulter epaule
    hombro arm oberarm humerus elbow ellbogen ellenbogen coude codo forearm unterarm radius ulna wrist handgelenk
    poignet muneca hand hande main mano finger thumb daumen hip hufte hanche cadera femur thigh oberschenkel knee
    knie genou rodilla leg bein jambe pierna tibia fibula calf unterschenkel ankle sprunggelenk osg cheville tobillo
    foot fuss pied pie toe zehe heel ferse calcaneus breast mamma sein mama axilla skin haut muscle muskel soft
    tissue weichteile whole body ganzkorper wb extremity upper lower limb limbs trunk rib ribs rippen sternum
    clavicle scapula lymph node nodes supraspinatus infraspinatus subscapularis deltoideus biceps triceps quadriceps
    psoas iliopsoas gastrocnemius soleus gluteus pectoralis trapezius sartorius piriformis brachialis
"""
_FINDINGS = """
    left right links rechts li re bilateral beidseits bds both beide gauche droite droit izquierda derecha izquierdo
    derecho upper lower mid middle anterior posterior medial proximal distal superior inferior central peripheral
    normal abnormal acute chronic mild moderate severe small large new old stable increased decreased unchanged no
    not without with and or of the for from in on at to by is was are be has had this that since mit ohne und oder
    der die das den dem des ein eine einer von vom bei im am zum zur nach vor auf fur aus ist sans avec et ou le la
    les un une du au aux par pour sur dans est sin con y o el los las una del al por para en es pain schmerz
    schmerzen douleur dolor trauma fracture fraktur tumor tumour tumeur mass lesion lesions lasion lasionen nodule
    cyst zyste stenosis stenose stroke schlaganfall infarct infarkt bleeding blutung hemorrhage haemorrhage edema
    oedema odem effusion erguss embolism embolie thrombosis thrombose pneumonia pneumonie infection infekt abscess
    abszess inflammation metastasis metastases metastasen cancer carcinoma karzinom ca hcc rcc lymphoma sarcoma
    aneurysm aneurysma dissection hernia stone stones calculi calculus colic ileus appendicitis diverticulitis
    cirrhosis hepatitis copd asthma fever fieber cough husten dyspnea dyspnoe syncope seizure seizures epilepsy
    headache kopfschmerz dizziness vertigo nausea vomiting follow followup fu up verlauf verlaufskontrolle kontrolle
    control pre post preop postop op status zustand history hx dx anamnese rule out ro sp cabg stent implant
    prosthesis prothese screw device clip pacemaker staging restaging screening biopsy biopsie drainage puncture
    punktion intervention surgery therapy therapie chemo radiation radio treatment planning indication indikation
    findings befund impression beurteilung technique technik comparison vergleich clinical klinisch question
    fragestellung please bitte exam examination untersuchung examen exploration report bericht informe comment
    comments note notes diagnosis diagnose diagnostic prior previous priors current today baseline delayed late
    early arterial venous portal portovenous excretory nephrographic equilibrium expiration inspiration supine prone
    standing sitting decubitus rest stress breath hold free breathing gated triggered mg ml kg years year yo jahre
    ans male female man woman boy girl child adult pediatric paediatric infant newborn baby pregnant mannlich
    weiblich homme femme hombre mujer patient patients paciente patientin allergy allergies diabetes hypertension
    smoker none unknown мрт кт узи рентген пэт головного мозга грудной клетки брюшной полости позвоночника правый
    левый справа слева пол мужской женский контраст исследование αξονικη μαγνητικη τομογραφια ακτινογραφια θωρακος
    κοιλιας εγκεφαλου αριστερα δεξια yes ja nein oui non si other andere autre otro undefined unspecified removed
    test error ausschluss verdacht nachweis ألم أشعة مقطعية لا في عقدة كسر رئة صدر بطن ركبة رأس رنين مغناطيسي يمين
    يسار
"""
_INSTITUTIONS = """
    hospital hospitals clinic clinics klinik kliniken klinikum krankenhaus spital hopital clinique clinica centre
    center zentrum centro central general university universitats universitatsklinikum universitatsspital universite
    universitaire universidad universitario medical medizin medizinische medicine medico medecine health care
    healthcare system systems regional national county city state public private imaging bildgebung diagnostics
    diagnostik radiology radiologie radiologia radiologic radiological nuclear nuklearmedizin neuroradiology
    neuroradiologie cardiology kardiologie cardiologie oncology onkologie surgery chirurgie emergency er ed icu ward
    station room raum zimmer salle sala floor building gebaude unit department departement departamento abteilung
    dept institute institut instituto praxis practice group office service services servicio laboratory labor
    outpatient inpatient ambulanz ambulance school college faculty research street strasse road avenue rue calle
    platz place lane drive north south east west workstation console scanner siemens philips ge toshiba canon
    hitachi fuji agfa
    病院 医院 大学病院 放射線科 放射科 医院放射科 병원 대학병원
    영상의학과 больница клиника отделение рентгенология νοσοκομειο κλινικη مستشفى المستشفى قسم الاشعة โรงพยาบาล
"""

COMMON = frozenset(fold(word) for words in (_MODALITIES, _BODY, _FINDINGS, _INSTITUTIONS) for word in words.split())
# Whom diseases are named after: M. Crohn is morbus Crohn, and nobody's name.
EPONYMS = frozenset(
    """
    addison alzheimer basedow bechterew bowen crohn cushing dupuytren fabry gaucher hodgkin kohler ledderhose
    meniere osgood paget parkinson perthes scheuermann schlatter sudeck waldenstrom whipple wilson
""".split()
)
