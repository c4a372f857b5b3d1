//! What the page says.

use entente_door_kit::language::Language;

/// All that is said to people. `{}` stands for something that is put in.
pub(super) struct Words {
    pub(super) email: &'static str,
    pub(super) description: &'static str,
    pub(super) files: &'static str,
    pub(super) hint: &'static str,
    pub(super) send: &'static str,
    pub(super) send_more: &'static str,
    pub(super) arrived: &'static str,
    pub(super) did_not_arrive: &'static str,
    pub(super) nothing_chosen: &'static str,
    pub(super) email_missing: &'static str,
    pub(super) description_missing: &'static str,
    pub(super) description_long: &'static str,
    pub(super) too_many: &'static str,
    pub(super) too_large: &'static str,
    pub(super) no_room: &'static str,
    pub(super) unreadable: &'static str,
    pub(super) not_now: &'static str,
    pub(super) unavailable: &'static str,
    pub(super) too_often: &'static str,
    pub(super) closed: &'static str,
    pub(super) closed_text: &'static str,
}

pub(super) const fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &EN,
        Language::German => &DE,
    }
}

const EN: Words = Words {
    email: "Your mail address",
    description: "What are you sending?",
    files: "Files",
    hint: "You may choose several. They are sent as soon as you press the button; keep the page open until it says that they have arrived.",
    send: "Send",
    send_more: "Send more",
    arrived: "Thank you. These have arrived:",
    did_not_arrive: "“{}” has not arrived, nor has anything after it.",
    nothing_chosen: "Choose a file first.",
    email_missing: "Give your mail address, so that it is known who has sent the files.",
    description_missing: "Say what you are sending.",
    description_long: "What you say of the files is too long: up to 256 characters.",
    too_many: "These were too many at once: up to 100. Send the others afterwards.",
    too_large: "It is larger than a file may be here.",
    no_room: "There is no room left for it. Tell whoever sent you here.",
    unreadable: "What your browser sent could not be read to its end. Try again.",
    not_now: "It cannot be stored at this moment. Try again in some minutes.",
    unavailable: "Not now",
    too_often: "Very much was sent from your network. Try again in some minutes.",
    closed: "No files are taken here",
    closed_text: "This address was mistyped, or no files are wanted there any more. Ask whoever gave it to you.",
};

const DE: Words = Words {
    email: "Ihre Mailadresse",
    description: "Was senden Sie?",
    files: "Dateien",
    hint: "Sie können mehrere wählen. Sie werden gesendet, sobald Sie den Knopf drücken; lassen Sie die Seite offen, bis sie sagt, dass alles angekommen ist.",
    send: "Senden",
    send_more: "Weitere senden",
    arrived: "Danke. Angekommen sind:",
    did_not_arrive: "„{}“ ist nicht angekommen, und nichts danach.",
    nothing_chosen: "Wählen Sie zuerst eine Datei.",
    email_missing: "Geben Sie Ihre Mailadresse an, damit man weiß, von wem die Dateien sind.",
    description_missing: "Sagen Sie, was Sie senden.",
    description_long: "Was Sie zu den Dateien sagen, ist zu lang: bis zu 256 Zeichen.",
    too_many: "Das waren zu viele auf einmal: bis zu 100. Senden Sie die anderen danach.",
    too_large: "Sie ist größer, als eine Datei hier sein darf.",
    no_room: "Es ist kein Platz mehr dafür. Sagen Sie es denen, die Sie hierher geschickt haben.",
    unreadable: "Was Ihr Browser gesendet hat, ließ sich nicht bis zum Ende lesen. Versuchen Sie es noch einmal.",
    not_now: "Sie kann gerade nicht gespeichert werden. Versuchen Sie es in einigen Minuten noch einmal.",
    unavailable: "Gerade nicht",
    too_often: "Aus Ihrem Netz kam sehr viel. Versuchen Sie es in einigen Minuten noch einmal.",
    closed: "Hier werden keine Dateien angenommen",
    closed_text: "Die Adresse ist vertippt, oder es werden dort keine Dateien mehr gewünscht. Fragen Sie, wer sie Ihnen gegeben hat.",
};
