//! Locales written in Latin letters, most of them with diacritics.

use super::locale::{Locale, Order};

/// British English.
const ENGLISH: Locale = Locale {
    order: Order::GivenFamily,
    given: "Oliver, Amelia, George, Isla, Harry, Olivia, Noah, Ava, Jack, Emily, Charlie, Grace,
        Thomas, Freya, James, Florence, William, Poppy, Henry, Charlotte, Arthur, Zoë=zoe,
        Alfie, Siân=sian, Edward, Renée=renee, Seán=sean, Niamh, Rhys, Imogen, Duncan, Fiona,
        Mary-Ann",
    family: "Smith, Jones, Taylor, Brown, Williams, Wilson, Johnson, Davies, Robinson, Wright,
        Thompson, Evans, Walker, White, Roberts, Green, Hall, Wood, Jackson, Clarke, Patel, Khan,
        Lewis, James, Phillips, Mason, Mitchell, Rose, Davis, Cox, Alexander, O'Brien, O'Connor,
        MacDonald, McKenzie, Campbell, Stewart, Fitzgerald, Brontë=bronte, Ashworth-Cole,
        Featherstone, Whitaker",
    cities: "London=SW4 #@@, London=N1# #@@, Birmingham=B1# #@@, Manchester=M1# #@@,
        Leeds=LS6 #@@, Liverpool=L1# #@@, Bristol=BS8 #@@, Sheffield=S1# #@@,
        Edinburgh=EH2 #@@, Glasgow=G1# #@@, Cardiff=CF7 #@@, Belfast=BT5 #@@,
        Newcastle upon Tyne=NE3 #@@, Norwich=NR9 #@@, Stratford-upon-Avon=CV37 #@@",
    streets: "High Street, Station Road, Church Lane, Victoria Road, Park Avenue, Mill Lane,
        London Road, Queen's Road, The Crescent, Windsor Close, Kingsway, Manor Drive, York Place,
        St John's Terrace, Orchard Way, Chapel Street",
    addresses: &["{n} {s}, {c} {p}", "Flat {u}, {n} {s}, {c} {p}"],
    phones: &["+44 20 7### ####", "+44 7### ######", "+44 1### ######", "07### ######"],
    domains: "post-office, bookshop, tea-and-coffee, café-royal",
    native_digits: None,
};

/// German.
const GERMAN: Locale = Locale {
    order: Order::GivenFamily,
    given:
        "Anna, Lukas, Marie, Maximilian, Sophie, Felix, Lena, Paul, Jürgen=juergen, Käthe=kaethe,
        Björn=bjoern, Günther=guenther, Jörg=joerg, Sören=soeren, Heike, Wolfgang, Sabine, Thomas,
        Ursula, Stefan, Renate, Matthias, Katharina, Dörte=doerte, Götz=goetz, Hannelore,
        Karl-Heinz, Anneliese, Torsten, Bärbel=baerbel, Moritz, Jürg=juerg, Emilia",
    family: "Müller=mueller, Schmidt, Schneider, Fischer, Weber, Meyer, Wagner, Becker, Schulz,
        Hoffmann, Schäfer=schaefer, Koch, Bauer, Richter, Klein, Wolf, Schröder=schroeder, Neumann,
        Schwarz, Zimmermann, Braun, Krüger=krueger, Hofmann, Hartmann, Lange, Werner, Krause,
        Lehmann, Köhler=koehler, König=koenig, Huber, Kaiser, Groß=gross, Weiß=weiss,
        Jäger=jaeger, Möller=moeller, Böhm=boehm, Günther=guenther, Vogt, Strauß=strauss,
        Götze=goetze, von Bülow=vonbuelow",
    cities: "Berlin=10###, Hamburg=20###, München=80###, Köln=50###, Frankfurt am Main=60###,
        Stuttgart=70###, Düsseldorf=40###, Leipzig=04###, Dresden=01###, Nürnberg=90###,
        Lübeck=23###, Würzburg=97###, Göttingen=370##, Saarbrücken=661##",
    streets: "Hauptstraße, Bahnhofstraße, Gartenweg, Schillerstraße, Goethestraße, Lindenallee,
        Am Mühlbach, Kirchgasse, Rosenweg, Königstraße, Münchner Straße, Beethovenplatz, Jägerstieg,
        Große Bleichen, Dorfstraße, An der Brücke",
    addresses: &["{s} {n}, {p} {c}", "{s} {n}a, {p} {c}", "{s} {n}, {u}. OG, {p} {c}"],
    phones: &["+49 30 ########", "+49 151 ########", "+49 (0)89 #######", "0170 #######"],
    domains: "bücher, müller-söhne, gärtnerei, bäckerei-schön, werkstatt",
    native_digits: None,
};

/// French.
const FRENCH: Locale = Locale {
    order: Order::GivenFamily,
    given: "Marie, Jean, Camille, Pierre, Léa=lea, Louis, Chloé=chloe, Hugo, Inès=ines, Gabriel,
        Zoé=zoe, Raphaël=raphael, Anaïs=anais, François=francois, Hélène=helene, Jérôme=jerome,
        Françoise=francoise, Benoît=benoit, Aurélie=aurelie, Étienne=etienne, Noël=noel,
        Céline=celine, Stéphane=stephane, Maëlle=maelle, André=andre, Élodie=elodie, Luc,
        Jean-Pierre, Marie-Thérèse=marie-therese, Gaëtan=gaetan, Agnès=agnes, Loïc=loic, Nathalie",
    family: "Martin, Bernard, Thomas, Petit, Robert, Richard, Durand, Dubois, Moreau, Laurent,
        Simon,
        Michel, Lefèvre=lefevre, Leroy, Roux, David, Bertrand, Morel, Fournier, Girard, Bonnet,
        Dupont, Lambert, Fontaine, Rousseau, Vincent, Müller=muller, Lefebvre, Faure, André=andre,
        Mercier, Blanchard, Guérin=guerin, Boyer, Garnier, Chevalier, Legrand, Gauthier,
        Besançon=besancon,
        Lemaître=lemaitre, Hébert=hebert, D'Aubigné=daubigne, L'Hôpital=lhopital",
    cities: "Paris=750##, Marseille=130##, Lyon=6900#, Toulouse=31###, Nice=06###, Nantes=44###,
        Strasbourg=67###, Montpellier=34###, Bordeaux=33###, Lille=59###, Besançon=25###,
        Saint-Étienne=42###, Nîmes=30###, Orléans=45###",
    streets: "rue de la République, avenue Victor-Hugo, boulevard Voltaire, rue des Écoles,
        place de l'Église, rue du Château, chemin des Vignes, allée des Chênes, rue Molière,
        quai Saint-Michel, impasse du Moulin, rue Pasteur, cours Gambetta, rue de la Forêt,
        avenue du Général-Leclerc, route d'Orléans",
    addresses: &["{n} {s}, {p} {c}", "{n} bis, {s}, {p} {c}", "Appt {u}, {n} {s}, {p} {c}"],
    phones: &["+33 6 ## ## ## ##", "+33 1 4# ## ## ##", "06 ## ## ## ##"],
    domains: "café, pâtisserie, librairie-française, forêt, théâtre",
    native_digits: None,
};

/// Spanish, with the two family names of Spain.
const SPANISH: Locale = Locale {
    order: Order::GivenTwoFamilies,
    given:
        "María=maria, José=jose, Lucía=lucia, Antonio, Sofía=sofia, Manuel, Martina, Hugo, Paula,
        Javier, Carmen, Daniel, Ángela=angela, Álvaro=alvaro, Íñigo=inigo, Begoña=begona,
        Jesús=jesus, Inés=ines, Óscar=oscar, Rocío=rocio, Andrés=andres, Ramón=ramon,
        Concepción=concepcion, Iván=ivan, Núria=nuria, Joaquín=joaquin, Verónica=veronica,
        Raúl=raul, Pilar, Tomás=tomas, Montserrat, Adrián=adrian, Elena",
    family:
        "García=garcia, Rodríguez=rodriguez, González=gonzalez, Fernández=fernandez, López=lopez,
        Martínez=martinez, Sánchez=sanchez, Pérez=perez, Gómez=gomez, Martín=martin,
        Jiménez=jimenez, Ruiz, Hernández=hernandez, Díaz=diaz, Moreno, Muñoz=munoz,
        Álvarez=alvarez, Romero, Alonso, Gutiérrez=gutierrez, Navarro, Torres,
        Domínguez=dominguez, Vázquez=vazquez, Ramos, Gil, Ramírez=ramirez, Serrano, Blanco, Molina,
        Morales, Suárez=suarez, Ortega, Delgado, Castro, Ortiz, Rubio, Marín=marin, Sanz,
        Núñez=nunez, Ibáñez=ibanez, Peña=pena, Güell=guell",
    cities: "Madrid=280##, Barcelona=080##, Valencia=460##, Sevilla=410##, Zaragoza=500##,
        Málaga=290##, Murcia=300##, Bilbao=480##, Córdoba=140##, A Coruña=150##, Cádiz=110##,
        León=240##, Gijón=332##, Logroño=260##",
    streets:
        "Calle Mayor, Avenida de la Constitución, Calle de Alcalá, Plaza de España, Paseo del Prado,
        Calle del Sol, Calle de la Peña, Ronda de Atocha, Camino Viejo, Calle San Martín,
        Avenida de Andalucía, Calle Cervantes, Calle Real, Travesía del Niño, Calle de los Ángeles,
        Gran Vía",
    addresses: &["{s} {n}, {p} {c}", "{s} {n}, {u}.º B, {p} {c}", "{s}, {n}, {u}.º izda., {p} {c}"],
    phones: &["+34 6## ### ###", "+34 91# ### ###", "6## ### ###"],
    domains: "españa-correo, panadería, niños, librería-ñandú, correo",
    native_digits: None,
};

/// Polish; family names that do not change with the bearer's sex.
const POLISH: Locale = Locale {
    order: Order::GivenFamily,
    given: "Zofia, Jan, Zuzanna, Antoni, Hanna, Jakub, Maja, Aleksander, Łucja=lucja,
        Stanisław=stanislaw, Małgorzata=malgorzata, Łukasz=lukasz, Agnieszka, Paweł=pawel,
        Krzysztof, Michał=michal, Grażyna=grazyna, Wojciech, Bożena=bozena, Sławomir=slawomir,
        Jadwiga, Mirosław=miroslaw, Świętosława=swietoslawa, Grzegorz, Joanna, Józef=jozef,
        Elżbieta=elzbieta, Bartłomiej=bartlomiej, Róża=roza, Tomasz, Żaneta=zaneta, Rafał=rafal,
        Ewa",
    family: "Nowak, Wójcik=wojcik, Kowalczyk, Woźniak=wozniak, Mazur, Krawczyk, Kaczmarek,
        Zając=zajac, Król=krol, Wieczorek, Wróbel=wrobel, Stępień=stepien, Adamczyk, Dudek, Pawlak,
        Walczak, Sikora, Baran, Michalak, Szewczyk, Pietrzak, Duda, Tomczyk, Jarosz, Gołąb=golab,
        Włodarczyk=wlodarczyk, Marciniak, Bąk=bak, Kubiak, Kołodziej=kolodziej, Czerwiec,
        Łuczak=luczak, Błaszczyk=blaszczyk, Kuś=kus, Żak=zak, Mroź=mroz, Gąsior=gasior,
        Ślusarz=slusarz, Ćwiek=cwiek, Piątek=piatek, Kozieł=koziel, Źrebiec=zrebiec",
    cities: "Warszawa=00-###, Kraków=30-###, Łódź=90-###, Wrocław=50-###, Poznań=60-###,
        Gdańsk=80-###, Szczecin=70-###, Bydgoszcz=85-###, Lublin=20-###, Białystok=15-###,
        Katowice=40-###, Rzeszów=35-###, Toruń=87-1##",
    streets: "ul. Długa, ul. Krótka, ul. Świętokrzyska, al. Jerozolimskie, ul. Mickiewicza,
        ul. Kościuszki, pl. Wolności, ul. Słowackiego, ul. Żeromskiego, ul. Polna, ul. Leśna,
        ul. Łąkowa, ul. Ogrodowa, os. Piastów, ul. Źródlana, ul. Księżycowa",
    addresses: &["{s} {n}, {p} {c}", "{s} {n}/{u}, {p} {c}", "{s} {n} m. {u}, {p} {c}"],
    phones: &["+48 5## ### ###", "+48 22 ### ## ##", "+48 6## ### ###"],
    domains: "książki, żółw, poczta, łąka, ogród-różany",
    native_digits: None,
};

/// Turkish, with its dotted and dotless i.
const TURKISH: Locale = Locale {
    order: Order::GivenFamily,
    given: "Zeynep, Yusuf, Elif, Mustafa, Ayşe=ayse, Mehmet, Fatma, Ahmet, İbrahim=ibrahim,
        Işıl=isil, Çağla=cagla, Ömer=omer, Şule=sule, Gökhan=gokhan, Gülşen=gulsen, Hüseyin=huseyin,
        Özlem=ozlem, Uğur=ugur, Tuğba=tugba, Barış=baris, Aslı=asli, Çetin=cetin, İpek=ipek,
        Kadir, Sevgi, Oğuz=oguz, Yıldız=yildiz, Can, Nazlı=nazli, Ümit=umit, Derya, Şahin=sahin,
        Ilgın=ilgin",
    family:
        "Yılmaz=yilmaz, Kaya, Demir, Çelik=celik, Şahin=sahin, Yıldız=yildiz, Yıldırım=yildirim,
        Öztürk=ozturk, Aydın=aydin, Özdemir=ozdemir, Arslan, Doğan=dogan, Kılıç=kilic, Aslan,
        Çetin=cetin, Kara, Koç=koc, Kurt, Özkan=ozkan, Şimşek=simsek, Polat, Korkmaz, Çakır=cakir,
        Erdoğan=erdogan, Acar, Güneş=gunes, Aktaş=aktas, Bulut, Yavuz, Taş=tas, Keskin, Güler=guler,
        Ünal=unal, Işık=isik, Turan, Coşkun=coskun, Avcı=avci, Sarı=sari, Bozkurt, Tekin,
        Ateş=ates, İnan=inan",
    cities: "Kadıköy/İstanbul=347##, Beşiktaş/İstanbul=343##, Üsküdar/İstanbul=346##,
        Çankaya/Ankara=065##, Konak/İzmir=352##, Osmangazi/Bursa=160##, Muratpaşa/Antalya=071##,
        Seyhan/Adana=010##, Selçuklu/Konya=420##, Şahinbey/Gaziantep=270##,
        Tepebaşı/Eskişehir=261##, Ortahisar/Trabzon=610##, Merkez/Çanakkale=171##",
    streets: "Atatürk Caddesi, Cumhuriyet Bulvarı, İstiklal Caddesi, Gül Sokak, Çınar Sokak,
        Bağdat Caddesi, Fevzi Çakmak Caddesi, Şehit Ali Sokak, Lale Sokak, Zafer Caddesi,
        Okul Sokak, İnönü Bulvarı, Deniz Sokak, Yeşil Sokak, Ihlamur Caddesi, Kıbrıs Caddesi",
    addresses: &["{s} No: {n}, {p} {c}", "{s} No: {n} D: {u}, {p} {c}", "{s} {n}/{u}, {p} {c}"],
    phones: &["+90 53# ### ## ##", "+90 212 ### ## ##", "0505 ### ## ##"],
    domains: "türkçe, çiçek, gözlük, mektup, şeker",
    native_digits: None,
};

/// Vietnamese: family name first, letters with two marks each.
const VIETNAMESE: Locale = Locale {
    order: Order::FamilySpaceGiven,
    given: "Minh Anh=minhanh, Văn Hùng=vanhung, Thị Hương=thihuong, Quốc Bảo=quocbao, Thu Hà=thuha,
        Đức Thắng=ducthang, Ngọc Ánh=ngocanh, Hoàng Long=hoanglong, Phương Thảo=phuongthao,
        Tuấn Kiệt=tuankiet, Thanh Tâm=thanhtam, Gia Huy=giahuy, Khánh Linh=khanhlinh,
        Hữu Nghĩa=huunghia, Mỹ Duyên=myduyen, Xuân Trường=xuantruong, Bích Ngọc=bichngoc,
        Công Phượng=congphuong, Hồng Nhung=hongnhung, Trung Dũng=trungdung, Diễm Quỳnh=diemquynh,
        Thế Vinh=thevinh, Kim Oanh=kimoanh, Việt Đức=vietduc, Tường Vi=tuongvi, Anh Tú=anhtu,
        Bảo Châu=baochau, Nhật Nam=nhatnam, Yến Nhi=yennhi, Mạnh Cường=manhcuong,
        Lan Hương=lanhuong, Sỹ Luân=syluan, Trúc=truc",
    family: "Nguyễn=nguyen, Trần=tran, Lê=le, Phạm=pham, Hoàng=hoang, Huỳnh=huynh, Phan, Vũ=vu,
        Võ=vo, Đặng=dang, Bùi=bui, Đỗ=do, Hồ=ho, Ngô=ngo, Dương=duong, Lý=ly, Đinh=dinh,
        Trịnh=trinh,
        Đoàn=doan, Mai, Lương=luong, Cao, Tạ=ta, Lâm=lam, Hà=ha, Phùng=phung, Tô=to, Thái=thai,
        Châu=chau, Quách=quach, Tăng=tang, Kiều=kieu, Nghiêm=nghiem, Vương=vuong, Mạc=mac,
        Từ=tu, Khổng=khong, Lưu=luu, Triệu=trieu, Âu=au, Đào=dao, Giang",
    cities: "Thành phố Hồ Chí Minh=7000##, Hà Nội=1000##, Đà Nẵng=5500##, Cần Thơ=9000##,
        Hải Phòng=1800##, Huế=5300##, Nha Trang=6500##, Đà Lạt=6600##, Biên Hòa=7600##,
        Vinh=4300##, Buôn Ma Thuột=6300##, Hạ Long=0100##, Mỹ Tho=8400##",
    streets: "Lê Lợi, Nguyễn Huệ, Trần Hưng Đạo, Hai Bà Trưng, Lý Thường Kiệt, Điện Biên Phủ,
        Phan Chu Trinh, Hoàng Diệu, Bạch Đằng, Võ Thị Sáu, Ngô Quyền, Quang Trung, Đinh Tiên Hoàng,
        Hùng Vương, Nguyễn Trãi, Cách Mạng Tháng Tám",
    addresses: &["{n} đường {s}, {c} {p}", "{n}/{u} {s}, {c} {p}"],
    phones: &["+84 9# ### ## ##", "+84 28 3### ####", "+84 3# ### ## ##"],
    domains: "thư-viện, hà-nội, bưu-điện, quán-phở",
    native_digits: None,
};

/// The locales of this file.
pub(super) const LOCALES: [Locale; 7] =
    [ENGLISH, GERMAN, FRENCH, SPANISH, POLISH, TURKISH, VIETNAMESE];
